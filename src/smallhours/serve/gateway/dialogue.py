"""A message in a remembered conversation: on disk before it is answered, its reply before it is sent.

Whatever the memory does, the person gets a reply: without it, from what the page still shows. A crisis does
not wait for it at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from smallhours.domain.errors import MissingError, RefusedError, StoreError
from smallhours.domain.memory import Heard, Memory, Remembered, Reply
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.risk import Decision, Finding, RiskLevel
from smallhours.safety.conversation import lasting
from smallhours.semantics.vectors import Encoder
from smallhours.serve.gateway import refusals
from smallhours.serve.gateway.answers import Answer, Answers, Begin, Visit
from smallhours.serve.gateway.desk import Desk
from smallhours.serve.memory.context import Context, context, fact_in, summary_of

# How long a crisis reply waits to be able to say that it was kept; keeping it goes on in any case.
CRISIS_PATIENCE = 0.05
# Said once it is true. No model is asked: it would promise or deny at random.
KEPT_IN_MIND = "I have noted that with this conversation. You can see and delete what is kept at any time."
# So many exchanges that no longer fit are summarised together.
_SUMMARISED_TOGETHER = 4


@dataclass(frozen=True)
class Said:
    """A message for a remembered conversation, as it came in."""

    conversation: str
    token: str
    content: str
    locale: str | None = None
    recent: tuple[Message, ...] = ()
    once: str | None = None

    def as_shown(self) -> Conversation:
        """The conversation as the page shows it, without the memory."""
        newest = Message(role=Role.USER, content=self.content)
        return Conversation(messages=(*self.recent, newest), locale=self.locale or "en").without_system()


class Dialogue:
    """Remembered conversations. ``encoder`` (called when first needed) chooses the sentences of summaries."""

    def __init__(
        self, memory: Memory, desk: Desk, answers: Answers, encoder: Callable[[], Encoder], budget: int
    ) -> None:
        self._memory = memory
        self._desk = desk
        self._answers = answers
        self._encoder = encoder
        self._budget = budget
        self._errands: set[asyncio.Task[Any]] = set()

    async def say(self, said: Said, guest: Visit, begin: Begin) -> Answer:
        """The reply to a message. Raises RefusalError."""
        shown = said.as_shown()
        urgent, decision = await self._answers.urgent(shown, guest)
        if urgent is not None:
            return await self._kept_if_quick(said, urgent, _kept_findings(decision, shown))
        guest.require()
        try:
            remembered = await self._memory.read(said.conversation, said.token)
        except StoreError:
            return _told(await self._answers.ordinary(shown, decision, guest, begin), stored=False)
        if remembered is None:
            raise refusals.not_found()
        return await self._remembered(said, remembered, guest, begin)

    async def _remembered(self, said: Said, remembered: Remembered, guest: Visit, begin: Begin) -> Answer:
        remembered = _before(remembered, said.content)
        seen = context(remembered, said.content, said.locale or remembered.locale, self._budget)
        decision = await self._desk.screen(seen.conversation, seen.earlier)
        findings = _kept_findings(decision, seen.conversation)
        if decision.level.is_crisis:
            urgent = Answer.of(await self._desk.crisis(seen.conversation, decision))
            return await self._kept_if_quick(said, urgent, findings)
        try:
            heard = await self._hear(said, findings)
        except StoreError:
            answer = await self._answers.ordinary(seen.conversation, decision, guest, begin)
            return _told(answer, stored=False)
        if heard.reply is not None:
            return _told(Answer(heard.reply.content, dict(heard.reply.about)), stored=True)
        answer = await self._answers.ordinary(seen.conversation, decision, guest, begin)
        if await self._noted(said, remembered):
            answer = Answer(KEPT_IN_MIND, {**answer.about, "source": "boundary"})
        told = await self._answered(said.conversation, heard.number, answer)
        self._later(self._tidy(said, remembered, seen))
        return told

    async def _noted(self, said: Said, remembered: Remembered) -> bool:
        """Whether the message asks for something to be remembered, and it now is."""
        fact = fact_in(said.content)
        if fact is None:
            return False
        if any(fact == known.text for known in remembered.facts):
            return True
        try:
            await self._memory.note(said.conversation, fact)
            return True
        except (StoreError, RefusedError):
            return False

    async def _hear(self, said: Said, findings: tuple[Finding, ...]) -> Heard:
        try:
            return await self._memory.hear(said.conversation, said.content, findings, said.once)
        except MissingError:
            raise refusals.not_found() from None
        except RefusedError as refused:
            raise refusals.invalid(str(refused)) from None

    async def _answered(self, conversation: str, number: int, answer: Answer) -> Answer:
        """Store the reply; if another gateway was faster, theirs is the one that is sent."""
        try:
            reply = Reply(content=answer.content, about=answer.about, created=datetime.now(UTC))
            stands = await self._memory.answer(conversation, number, reply)
            return _told(Answer(stands.content, dict(stands.about)), stored=True)
        except (StoreError, MissingError):
            return _told(answer, stored=False)

    async def _kept_if_quick(self, said: Said, urgent: Answer, findings: tuple[Finding, ...]) -> Answer:
        """The crisis reply, now; whether it was kept is said if that is known in time."""
        keeping = self._later(self._keep(said, urgent, findings))
        try:
            stored = await asyncio.wait_for(asyncio.shield(keeping), CRISIS_PATIENCE)
        except TimeoutError:
            stored = False
        return _told(urgent, stored=stored)

    async def _keep(self, said: Said, urgent: Answer, findings: tuple[Finding, ...]) -> bool:
        try:
            if await self._memory.read(said.conversation, said.token) is None:
                return False
            heard = await self._memory.hear(said.conversation, said.content, findings, said.once)
            if heard.reply is None:
                reply = Reply(content=urgent.content, about=urgent.about, created=datetime.now(UTC))
                await self._memory.answer(said.conversation, heard.number, reply)
            return True
        except (StoreError, RefusedError):
            return False

    async def _tidy(self, said: Said, remembered: Remembered, seen: Context) -> None:
        """After the reply: a summary of what no longer fits."""
        try:
            dropped = [e for e in remembered.exchanges if remembered.summarised <= e.number < seen.first]
            if len(dropped) >= _SUMMARISED_TOGETHER:
                summary = await asyncio.to_thread(
                    summary_of, remembered.summary, dropped, self._encoder(), self._is_risky
                )
                await self._memory.summarise(said.conversation, summary, seen.first)
        except (StoreError, RefusedError):
            return  # it is tried again with the next message

    def _is_risky(self, sentence: str) -> bool:
        return self._desk.screen_now(Conversation.of(sentence)).level is not RiskLevel.NONE

    def _later(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Work that goes on when the request is over."""
        task = asyncio.get_running_loop().create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
        return task

    async def close(self) -> None:
        """Finish what was begun, then let go of the memory."""
        if self._errands:
            await asyncio.wait(self._errands, timeout=5)
        await self._memory.close()


def _before(remembered: Remembered, content: str) -> Remembered:
    """What was there before this message, if it was stored once already and nothing answered it then."""
    last = remembered.exchanges[-1] if remembered.exchanges else None
    if last is None or last.reply is not None or last.content != content:
        return remembered
    return remembered.model_copy(update={"exchanges": remembered.exchanges[:-1]})


def _kept_findings(decision: Decision, conversation: Conversation) -> tuple[Finding, ...]:
    return lasting(decision.findings, len(conversation.user_texts) - 1)


def _told(answer: Answer, *, stored: bool) -> Answer:
    return Answer(answer.content, {**answer.about, "memory": {"stored": stored}})
