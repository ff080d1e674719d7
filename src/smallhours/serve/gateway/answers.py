"""From a message to what is sent: a crisis first, then the doors, then the queue, then the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from smallhours.domain.messages import Conversation, Message
from smallhours.domain.risk import Decision
from smallhours.serve.assistant import Reply
from smallhours.serve.gateway.desk import Desk
from smallhours.serve.gateway.doors import Caller, Doors
from smallhours.serve.gateway.refusals import RefusalError
from smallhours.serve.gateway.schemas import smallhours_fields
from smallhours.serve.generation import sentences

# What is screened of somebody who will not be let in: enough to notice a crisis, too little to wear us out.
_LAST_MESSAGES, _LAST_CHARACTERS = 6, 2000

Begin = Callable[[], None]


@dataclass(frozen=True)
class Answer:
    """What is sent: the text, and what stands beside it."""

    content: str
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> list[str]:
        """Whole sentences, each of them screened."""
        return sentences(self.content)

    @classmethod
    def of(cls, reply: Reply) -> Answer:
        """A reply of the assistant, as it is sent."""
        return cls(reply.text, smallhours_fields(reply))


@dataclass(frozen=True)
class Visit:
    """A message at the door: who sent it, or why they may not come in."""

    caller: Caller | None
    refusal: RefusalError | None

    def require(self) -> Caller:
        """The caller. Raises RefusalError."""
        if self.refusal is not None:
            raise self.refusal
        assert self.caller is not None  # noqa: S101 - one of the two is there by construction
        return self.caller


async def visit(doors: Doors, who: Caller | RefusalError, characters: int) -> Visit:
    """Ask the doors. Nothing is raised yet: a crisis is answered whatever they say."""
    if isinstance(who, RefusalError):
        return Visit(None, who)
    refusal = await doors.admit(who, characters)
    return Visit(None, refusal) if refusal else Visit(who, None)


class Answers:
    """Replies to whole conversations, of which nothing is kept."""

    def __init__(self, desk: Desk, doors: Doors) -> None:
        self._desk = desk
        self._doors = doors

    async def urgent(self, conversation: Conversation, guest: Visit) -> tuple[Answer | None, Decision]:
        """The reply to a crisis, else None; and the decision about what was looked at."""
        looked_at = conversation if guest.refusal is None else last_words(conversation)
        decision = await self._desk.screen(looked_at)
        if not decision.level.is_crisis:
            return None, decision
        return Answer.of(await self._desk.crisis(looked_at, decision)), decision

    async def answer(self, conversation: Conversation, guest: Visit, begin: Begin) -> Answer:
        """The reply. ``begin`` is called once nothing can refuse it any more. Raises RefusalError."""
        urgent, decision = await self.urgent(conversation, guest)
        if urgent is not None:
            return urgent
        return await self.ordinary(conversation, decision, guest, begin)

    async def ordinary(
        self, conversation: Conversation, decision: Decision, guest: Visit, begin: Begin
    ) -> Answer:
        """The reply to what is no crisis. Raises RefusalError."""
        caller = guest.require()
        async with self._desk.slot():
            begin()
            answer = Answer.of(await self._desk.answer(conversation, decision))
        await self._doors.charge(caller, len(answer.content))
        return answer


def last_words(conversation: Conversation) -> Conversation:
    """The end of the last few messages, for whom only a crisis is answered."""
    turns = conversation.messages[-_LAST_MESSAGES:]
    cut = tuple(Message(role=m.role, content=m.content[-_LAST_CHARACTERS:]) for m in turns)
    try:
        return Conversation(messages=cut, locale=conversation.locale)
    except ValueError:
        return Conversation.of(conversation.last_user_text[-_LAST_CHARACTERS:], conversation.locale)
