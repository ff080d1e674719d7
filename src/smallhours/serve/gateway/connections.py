"""uvicorn's HTTP protocol with patience that ends: for heads that do not come, for who only connects.

uvicorn waits for a request's head forever, so that a few thousand silent connections (or very slow ones) use
up the server. Here a head has to be whole in time, and only so many connections may be without one: for one
more, the oldest goes. Whoever asks something is never turned away for whoever does not.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientProtocol(H11Protocol):
    """One connection. :func:`protocol` makes one with other limits."""

    head_seconds: ClassVar[float] = 10.0
    most_waiting: ClassVar[int] = 512
    waiting: ClassVar[OrderedDict[PatientProtocol, asyncio.TimerHandle]] = OrderedDict()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Something of a request came: perhaps its head."""
        super().data_received(data)
        if self._busy():
            self._stop_waiting()
        elif self not in self.waiting:
            # The next request of a connection that is kept; its first bytes ended uvicorn's own timer.
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self.waiting[self] = self.loop.call_later(self.head_seconds, self._enough)
        if len(self.waiting) > self.most_waiting:
            next(iter(self.waiting))._enough()

    def _stop_waiting(self) -> None:
        timer = self.waiting.pop(self, None)
        if timer is not None:
            timer.cancel()

    def _enough(self) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self.transport.abort()


def protocol(head_seconds: float, most_waiting: int) -> type[PatientProtocol]:
    """The protocol with these limits, for ``uvicorn.Config(http=…)``."""
    limits: dict[str, Any] = {
        "head_seconds": head_seconds,
        "most_waiting": most_waiting,
        "waiting": OrderedDict(),
    }
    return type("Protocol", (PatientProtocol,), limits)
