"""One reply per Idempotency-Key, for the calls that store nothing."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from smallhours.serve.gateway import refusals

T = TypeVar("T")
MOST, SECONDS = 256, 300.0


@dataclass
class _Entry(Generic[T]):
    body: bytes
    begun: float
    work: asyncio.Task[T]


class Once(Generic[T]):
    """Does work once per caller and key; whoever repeats it gets the same result, also while it is done.

    Results are kept for five minutes, 256 at most, in this process alone.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries: OrderedDict[tuple[str, str], _Entry[T]] = OrderedDict()
        self._clock = clock

    async def do(self, caller: str, key: str, body: bytes, work: Callable[[], Awaitable[T]]) -> T:
        """The result of ``work``, new or from before. Raises RefusalError for a key with another body."""
        now = self._clock()
        while self._entries and now - next(iter(self._entries.values())).begun > SECONDS:
            self._entries.popitem(last=False)
        entry = self._entries.get((caller, key))
        if entry is None:
            entry = _Entry(body, now, asyncio.ensure_future(work()))
            self._entries[caller, key] = entry
            if len(self._entries) > MOST:
                self._entries.popitem(last=False)
        elif entry.body != body:
            raise refusals.invalid("this Idempotency-Key came with another body; use a new one for each")
        try:
            return await asyncio.shield(entry.work)
        except Exception:
            # What failed may be tried again.
            if self._entries.get((caller, key)) is entry:
                del self._entries[caller, key]
            raise
