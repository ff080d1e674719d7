"""One sign-off: who says what about which text, and when."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, StringConstraints, model_validator

from smallhours.domain.artifacts import hash_json
from smallhours.domain.messages import Frozen, Message
from smallhours.domain.records import Example

START = "0" * 64  # what the first line of a file names as the line before it


def _text(text: str) -> str:
    try:
        return text.strip().encode().decode()
    except UnicodeEncodeError:
        raise ValueError("holds bytes that are no text; is the terminal set to UTF-8?") from None


def _filled(text: str) -> str:
    if not text:
        raise ValueError("is needed; a sign-off says who gave it and with what credential")
    return text


Text = Annotated[str, AfterValidator(_text)]
Filled = Annotated[Text, AfterValidator(_filled)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Verdict(StrEnum):
    """``edit`` says: not as it stands, but in these words."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"


class Reviewer(Frozen):
    """Somebody who signs, in their own words; one name is one person, however it is capitalized."""

    name: Filled
    credential: Filled

    @property
    def key(self) -> str:
        """Tells people apart."""
        return " ".join(self.name.split()).casefold()

    def __str__(self) -> str:
        return f"{self.name} ({self.credential})"


class SignOff(Frozen):
    """A verdict on one text.

    ``text`` is the hash of the messages that were judged (see :func:`text_hash`), so the sign-off holds for
    these words and for no others; ``pair`` is the id they had. An edit carries the proposed ``messages``.
    ``api_key`` is the id of the key it was given with, where there was one. ``previous`` is the hash of the
    line before in its file.
    """

    pair: str
    text: Sha256
    verdict: Verdict
    reason: Text = ""
    messages: tuple[Message, ...] | None = None
    reviewer: Reviewer
    api_key: str | None = None
    at: AwareDatetime
    previous: Sha256 = START

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if self.verdict is Verdict.REJECT and not self.reason:
            raise ValueError("a rejection needs a reason")
        if (self.verdict is Verdict.EDIT) != (self.messages is not None):
            raise ValueError("an edit carries its messages, and nothing else does")
        if self.messages is not None and text_hash(self.messages) == self.text:
            raise ValueError("an edit must change something")
        return self


def text_hash(messages: Sequence[Message]) -> str:
    """SHA-256 of the messages in canonical JSON; any change of wording, role or order changes it."""
    return hash_json([message.model_dump(mode="json") for message in messages])


def example_hash(example: Example) -> str:
    """The hash of an example's text, as sign-offs name it."""
    return text_hash(example.messages)
