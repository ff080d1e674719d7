"""Stops asking a server that does not answer, and tries it again now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

BreakerState = Literal["closed", "open", "trying"]


class Breaker:
    """Closed lets everybody through. ``failures`` in a row open it; after ``rest`` seconds one call may try.

    A trial that fails doubles the rest, up to ``longest``; one that succeeds closes it. Safe in any thread.
    """

    def __init__(
        self,
        failures: int = 3,
        rest: float = 1.0,
        longest: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures, self._first_rest, self._longest, self._clock = failures, rest, longest, clock
        self._lock = threading.Lock()
        self._state: BreakerState = "closed"
        self._failed, self._rest, self._until = 0, rest, 0.0

    @property
    def state(self) -> BreakerState:
        """As of now."""
        return self._state

    def lets_through(self) -> bool:
        """Whether a call may be made. One that was let through must report how it went."""
        with self._lock:
            if self._state == "open" and self._clock() >= self._until:
                self._state = "trying"
                return True
            return self._state == "closed"

    def succeeded(self) -> None:
        """The call was answered."""
        with self._lock:
            self._state, self._failed, self._rest = "closed", 0, self._first_rest

    def failed(self) -> None:
        """The call was not answered, and it was the server's fault."""
        with self._lock:
            self._failed += 1
            if self._state == "trying":
                self._rest = min(2 * self._rest, self._longest)
            if self._state == "trying" or self._failed >= self._failures:
                self._state, self._until = "open", self._clock() + self._rest

    def called_off(self) -> None:
        """The call says nothing about the server: a trial that was called off may be tried again at once."""
        with self._lock:
            if self._state == "trying":
                self._state, self._until = "open", self._clock()
