"""A memory that costs nothing until it is used, and little while its database is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from smallhours.domain.errors import SettingsError, StoreError
from smallhours.domain.memory import Begun, Fact, Fault, Heard, Memory, Remembered, Reply
from smallhours.domain.risk import Finding

T = TypeVar("T")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds


class LazyMemory:
    """Opens the real memory on first use, in a thread: its libraries take a second to load.

    After a failure every call fails at once for a moment (a circuit breaker), so that nobody waits for a
    database that is known to be away; the moment doubles while it stays away.
    """

    def __init__(self, opener: Callable[[], Memory], on_failure: Callable[[], None] = lambda: None) -> None:
        self._opener = opener
        self._on_failure = on_failure
        self._memory: Memory | None = None
        self._opening = asyncio.Lock()
        self._pause = 0.0
        self._shut_until = 0.0

    @property
    def available(self) -> bool:
        """Whether the last call succeeded, or enough time has passed to try again."""
        return time.monotonic() >= self._shut_until

    async def _call(self, what: Callable[[Memory], Awaitable[T]]) -> T:
        if not self.available:
            raise StoreError("the memory does not answer; it is tried again in a moment")
        try:
            result = await what(await self._opened())
        except (StoreError, SettingsError, OSError) as error:
            self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._shut_until = time.monotonic() + self._pause
            self._on_failure()
            raise error if isinstance(error, StoreError) else StoreError(str(error)) from None
        self._pause = 0.0
        return result

    async def _opened(self) -> Memory:
        async with self._opening:
            if self._memory is None:
                self._memory = await asyncio.to_thread(self._opener)
            return self._memory

    async def begin(self, locale: str) -> Begun:
        """See :class:`Memory`, as for all that follows."""
        return await self._call(lambda m: m.begin(locale))

    async def read(self, conversation: str, token: str) -> Remembered | None:
        """All of a conversation."""
        return await self._call(lambda m: m.read(conversation, token))

    async def hear(
        self, conversation: str, content: str, risk: Sequence[Finding], once: str | None = None
    ) -> Heard:
        """Store a message."""
        return await self._call(lambda m: m.hear(conversation, content, risk, once))

    async def answer(self, conversation: str, number: int, reply: Reply) -> Reply:
        """Store a reply."""
        return await self._call(lambda m: m.answer(conversation, number, reply))

    async def summarise(self, conversation: str, summary: Sequence[str], summarised: int) -> None:
        """Replace the summary."""
        return await self._call(lambda m: m.summarise(conversation, summary, summarised))

    async def note(self, conversation: str, text: str) -> Fact:
        """Store a fact."""
        return await self._call(lambda m: m.note(conversation, text))

    async def drop(self, conversation: str, fact: int) -> bool:
        """Delete a fact."""
        return await self._call(lambda m: m.drop(conversation, fact))

    async def report(self, conversation: str, fault: Fault) -> None:
        """Store a report."""
        return await self._call(lambda m: m.report(conversation, fault))

    async def forget(self, conversation: str) -> bool:
        """Delete everything."""
        return await self._call(lambda m: m.forget(conversation))

    async def close(self) -> None:
        """Let go, if it was ever opened."""
        if self._memory is not None:
            await self._memory.close()
