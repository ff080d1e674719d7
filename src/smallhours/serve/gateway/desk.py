"""Where messages are worked on: two threads that only screen, and as many that answer as the model can bear.

Screening and crisis replies have threads of their own and no queue, so they never wait for a model. Ordinary
messages wait in a queue of fixed length; beyond it the answer is a 429 at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.messages import Conversation
from smallhours.domain.risk import Decision, Finding
from smallhours.serve.assistant import Assistant, Reply
from smallhours.serve.gateway import refusals
from smallhours.serve.gateway.metrics import Metrics

_SCREENING = 2
_SETTLED = 0.2  # weight of the newest reply in the running mean of seconds
_READY_SECONDS = 2.0  # a model that answered so recently is not asked again


class Desk:
    """One assistant and the threads around it."""

    def __init__(
        self, assistant: Assistant, metrics: Metrics, parallel: int, queue: int, queue_seconds: float
    ) -> None:
        self._assistant = assistant
        self._metrics = metrics
        self._screeners = ThreadPoolExecutor(_SCREENING, thread_name_prefix="screen")
        self._writers = ThreadPoolExecutor(parallel, thread_name_prefix="write")
        self._slots = asyncio.Semaphore(parallel)
        self._parallel = parallel
        self._most = parallel + queue
        self._queue_seconds = queue_seconds
        self._inside = 0
        self._mean_seconds = 1.0
        self._ready: tuple[float, bool] = (float("-inf"), False)
        self._asking = asyncio.Lock()

    @property
    def inside(self) -> int:
        """How many ordinary messages this process answers or has waiting."""
        return self._inside

    async def screen(self, conversation: Conversation, earlier: Sequence[Finding] = ()) -> Decision:
        """What the safety path makes of it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._screeners, self._assistant.screen, conversation, earlier)

    def screen_now(self, conversation: Conversation) -> Decision:
        """The same, for callers that are in a thread of their own."""
        return self._assistant.screen(conversation)

    async def crisis(self, conversation: Conversation, decision: Decision) -> Reply:
        """The fixed reply to a crisis."""
        return await self._timed(self._screeners, conversation, decision)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place with the model while the block runs. Raises RefusalError if the queue is full or slow."""
        if self._inside >= self._most:
            raise refusals.overloaded(
                self._mean_seconds * (1 + self._inside - self._parallel) / self._parallel
            )
        self._enter(+1)
        try:
            try:
                async with asyncio.timeout(self._queue_seconds):
                    await self._slots.acquire()
            except TimeoutError:
                raise refusals.overloaded(self._queue_seconds) from None
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._enter(-1)

    def _enter(self, change: int) -> None:
        self._inside += change
        self._metrics.inside(self._inside)

    async def answer(self, conversation: Conversation, decision: Decision) -> Reply:
        """The reply to an ordinary message; the caller holds a slot."""
        started = time.perf_counter()
        reply = await self._timed(self._writers, conversation, decision)
        self._mean_seconds += _SETTLED * (time.perf_counter() - started - self._mean_seconds)
        return reply

    async def _timed(self, pool: ThreadPoolExecutor, conversation: Conversation, decision: Decision) -> Reply:
        started = time.perf_counter()
        loop = asyncio.get_running_loop()
        cancel = Cancellation()
        work = loop.run_in_executor(pool, self._assistant.reply, conversation, None, decision, cancel)
        try:
            reply = await work
        except asyncio.CancelledError:
            cancel.cancel()  # the person has gone: the model stops, too
            raise
        self._metrics.count(reply, time.perf_counter() - started)
        return reply

    async def ready(self) -> bool:
        """Whether the model produces a token; asked at most every few seconds, by one at a time."""
        async with self._asking:
            asked, answer = self._ready
            if time.monotonic() - asked > _READY_SECONDS:
                answer = await asyncio.to_thread(self._assistant.model_answers)
                self._ready = (time.monotonic(), answer)
            return answer

    def close(self) -> None:
        """Take no more work."""
        self._screeners.shutdown(wait=False, cancel_futures=True)
        self._writers.shutdown(wait=False, cancel_futures=True)
