"""What is remembered of a conversation, and what the house asks of whatever remembers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from smallhours.domain.messages import Frozen
from smallhours.domain.risk import Finding

# What a person may say is wrong with a reply.
Fault = Literal["wrong", "hurtful", "dangerous", "other"]


class Begun(Frozen):
    """A new conversation. ``token`` opens it; nobody can be told it again."""

    id: str
    token: str
    locale: str
    created: datetime
    expires: datetime


class Reply(Frozen):
    """What was answered: its text, and what every client gets beside it (``smallhours`` in the API)."""

    content: str
    about: Mapping[str, Any]
    created: datetime


class Exchange(Frozen):
    """One message of the person, numbered from 0, and its reply, if it got one."""

    number: int
    content: str
    created: datetime
    reply: Reply | None = None


class Fact(Frozen):
    """Something the person asked to be remembered."""

    id: int
    text: str
    created: datetime


class Remembered(Frozen):
    """All that is kept of a conversation.

    ``exchanges`` may begin after number 0: older ones live on in ``summary`` (the person's own sentences) and
    in ``risk``, where the ``message`` of a finding is the number of the message that it was found in.
    ``summarised`` is the number of the first exchange that the summary does not cover.
    """

    id: str
    locale: str
    created: datetime
    expires: datetime
    exchanges: tuple[Exchange, ...] = ()
    facts: tuple[Fact, ...] = ()
    risk: tuple[Finding, ...] = ()
    summary: tuple[str, ...] = ()
    summarised: int = 0


class Heard(Frozen):
    """A message that is on disk. ``reply`` is there if the same message was answered before."""

    number: int
    reply: Reply | None = None


class Memory(Protocol):
    """Keeps conversations for whom agreed to it. A call that returns has stored what it was given.

    Every call raises StoreError when the store does not answer.
    """

    async def begin(self, locale: str) -> Begun:
        """A new, empty conversation."""
        ...

    async def read(self, conversation: str, token: str) -> Remembered | None:
        """All of it; None if there is no such conversation or this is not its token."""
        ...

    async def hear(
        self, conversation: str, content: str, risk: Sequence[Finding], once: str | None = None
    ) -> Heard:
        """Store a message of the person, with what has to be kept of its findings.

        ``once`` names the message: with a name that was there before, nothing is stored a second time.

        Raises:
            RefusedError: that name was used for another text.
            MissingError: the conversation is gone.
        """
        ...

    async def answer(self, conversation: str, number: int, reply: Reply) -> Reply:
        """Store the reply to message ``number``; the one that came first stands, and is returned."""
        ...

    async def summarise(self, conversation: str, summary: Sequence[str], summarised: int) -> None:
        """Replace the summary."""
        ...

    async def note(self, conversation: str, text: str) -> Fact:
        """Store a fact. Raises RefusedError if there are too many, MissingError if all is gone."""
        ...

    async def drop(self, conversation: str, fact: int) -> bool:
        """Delete a fact; whether there was one."""
        ...

    async def report(self, conversation: str, fault: Fault) -> None:
        """Keep that its owner asked us to look into it; with the conversation, this goes, too.

        Raises MissingError if it is gone.
        """
        ...

    async def forget(self, conversation: str) -> bool:
        """Destroy the key, then delete the rows; whether there was anything."""
        ...

    async def close(self) -> None:
        """Let go of the store."""
        ...
