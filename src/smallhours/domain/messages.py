"""What is said, by whom, in which order."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Frozen(BaseModel):
    """The base of our records: closed (an unknown key is an error) and immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Message(Frozen):
    """One turn.

    ``weight`` 0 keeps an answer out of what is learnt, as in OpenAI's fine-tuning format: a fixed reply to a
    crisis stands in a conversation, and no model is to imitate it.
    """

    role: Role
    content: str
    weight: Literal[0, 1] = Field(1, exclude_if=lambda weight: weight == 1)


class Conversation(Frozen):
    """The turns so far, oldest first, and the locale (BCP 47) of the person who writes."""

    messages: tuple[Message, ...]
    locale: str = "en"

    @model_validator(mode="after")
    def _someone_has_spoken(self) -> Self:
        if not any(m.role is Role.USER for m in self.messages):
            raise ValueError("a conversation needs at least one message with role 'user'")
        return self

    @classmethod
    def of(cls, text: str, locale: str = "en") -> Conversation:
        """A conversation of one user message."""
        return cls(messages=(Message(role=Role.USER, content=text),), locale=locale)

    @property
    def last_user_text(self) -> str:
        """What the person wrote last."""
        return next(m.content for m in reversed(self.messages) if m.role is Role.USER)

    @property
    def user_texts(self) -> tuple[str, ...]:
        """Everything the person wrote, oldest first."""
        return tuple(m.content for m in self.messages if m.role is Role.USER)

    def without_system(self) -> Conversation:
        """The same turns without system messages: those are ours to write, not a caller's."""
        turns = tuple(m for m in self.messages if m.role is not Role.SYSTEM)
        return Conversation(messages=turns, locale=self.locale)
