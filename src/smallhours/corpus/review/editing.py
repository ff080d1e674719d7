"""A pair as a text that can be edited, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from smallhours.corpus.content import LONGEST_MESSAGE
from smallhours.domain.errors import InputError
from smallhours.domain.messages import Message
from smallhours.domain.records import Example
from smallhours.domain.reviewing import SPEAKERS

_HEADING = re.compile(r"^=== (\w+) ===[ \t]*$", re.MULTILINE)


def as_text(example: Example) -> str:
    """Every message under a heading that says who speaks."""
    return "\n".join(f"=== {SPEAKERS[m.role]} ===\n{m.content}\n" for m in example.messages)


def contents_of(text: str, example: Example) -> list[str]:
    """What stands under each heading. Raises InputError if the headings are not those of ``example``."""
    before, *parts = _HEADING.split(text)
    if before.strip() or parts[::2] != [SPEAKERS[m.role] for m in example.messages]:
        raise InputError("the lines '=== Person ===' and '=== Answer ===' must stay as they were")
    return parts[1::2]


def proposed(example: Example, contents: Sequence[str]) -> tuple[Message, ...]:
    """The messages of ``example`` with new contents; roles, order and weights stay.

    Raises:
        InputError: a message is empty or too long, or nothing was changed.
    """
    if len(contents) != len(example.messages):
        raise InputError(
            f"an edit keeps the number of messages: {len(example.messages)}, not {len(contents)}"
        )
    texts = [content.replace("\r\n", "\n").replace("\r", "\n").strip() for content in contents]
    for message, text in zip(example.messages, texts, strict=True):
        if not text:
            raise InputError(f"{SPEAKERS[message.role]}: is empty; to remove a pair, reject it")
        if len(text) > LONGEST_MESSAGE:
            raise InputError(f"{SPEAKERS[message.role]}: is longer than {LONGEST_MESSAGE} characters")
    messages = tuple(
        message.model_copy(update={"content": text})
        for message, text in zip(example.messages, texts, strict=True)
    )
    if messages == example.messages:
        raise InputError("nothing was changed; to accept the pair as it is, approve it")
    return messages
