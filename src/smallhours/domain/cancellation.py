"""How whoever waits for an answer says that nobody waits any more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancellation:
    """Handed down with a question; :meth:`cancel` may be called from any thread, once or often.

    Work that blocks names what would end it (:meth:`stops`), because a thread that waits for a socket cannot
    look at a flag.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._stops: dict[object, Callable[[], None]] = {}

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits any more."""
        return self._cancelled

    def cancel(self) -> None:
        """Nobody waits any more: end what is under way."""
        with self._lock:
            self._cancelled = True
            stops = list(self._stops.values())
            self._stops.clear()
        for stop in stops:
            stop()

    @contextmanager
    def stops(self, stop: Callable[[], None]) -> Iterator[None]:
        """While the block lasts, :meth:`cancel` calls ``stop``; at once, if it was called before.

        ``stop`` must be quick, safe in another thread, and raise nothing.
        """
        ticket = object()
        with self._lock:
            too_late = self._cancelled
            if not too_late:
                self._stops[ticket] = stop
        if too_late:
            stop()
        try:
            yield
        finally:
            with self._lock:
                self._stops.pop(ticket, None)
