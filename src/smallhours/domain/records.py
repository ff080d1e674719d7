"""A training example and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from smallhours.domain.errors import RunError
from smallhours.domain.messages import Conversation, Frozen, Message, Role


class ReviewState(StrEnum):
    """What named professionals have signed about this text.

    ``edited``: not as it stands, other words are proposed. ``disputed``: two of them differ.
    """

    UNREVIEWED = "unreviewed"
    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"
    DISPUTED = "disputed"


class Split(StrEnum):
    """``validation`` decides when training stops; ``test`` is looked at once, by the report."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Example(Frozen):
    """A vetted conversation that ends with the answer to learn.

    ``group`` joins examples with similar answers: groups, never rows, are split. ``parent`` and
    ``rewording`` record the lineage of an augmented example.
    """

    id: str = Field(min_length=1)
    topic: str = "general"
    locale: str = "en"
    messages: tuple[Message, ...] = Field(min_length=2)
    source: str = "unknown"
    author: str = "unknown"
    licence: str = "unknown"
    review: ReviewState = ReviewState.UNREVIEWED
    group: str = ""
    parent: str | None = None
    rewording: str | None = None

    @model_validator(mode="after")
    def _ends_with_an_answer(self) -> Self:
        if self.messages[-1].role is not Role.ASSISTANT:
            raise ValueError("the last message must have role 'assistant': it is the answer")
        if not any(m.role is Role.USER for m in self.messages):
            raise ValueError("there must be a message with role 'user': it is the question")
        return self

    @property
    def question(self) -> str:
        """The last thing the person says before the answer."""
        return next(m.content for m in reversed(self.messages) if m.role is Role.USER)

    @property
    def answer(self) -> str:
        """The answer to learn."""
        return self.messages[-1].content

    @property
    def language(self) -> str:
        """The language of the locale: ``pt`` for ``pt-BR``."""
        return self.locale.split("-")[0].lower()

    @property
    def stands_alone(self) -> bool:
        """One question, one answer: what is said later in a conversation answers nobody else's question."""
        return sum(m.role is Role.USER for m in self.messages) == 1

    @property
    def prompt(self) -> Conversation:
        """Everything before the answer."""
        return Conversation(messages=self.messages[:-1], locale=self.locale)

    def with_question(self, text: str) -> tuple[Message, ...]:
        """The same messages with the last question worded as ``text``."""
        at = max(i for i, m in enumerate(self.messages) if m.role is Role.USER)
        worded = Message(role=Role.USER, content=text)
        return (*self.messages[:at], worded, *self.messages[at + 1 :])


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    """Write JSON Lines, one example a line, in order.

    Meant for a folder that is still staged: the file is not swapped in as a whole.
    """
    text = "".join(f"{example.model_dump_json()}\n" for example in examples)
    path.write_text(text, encoding="utf-8", newline="\n")


def read_examples(path: Path) -> list[Example]:
    """The examples of a file that a stage of ours wrote.

    Raises:
        RunError: if it is missing, empty or damaged; the message names the file and the line.
    """
    remedy = f"Delete the folder {path.parent} to build it afresh."
    try:
        lines = path.read_bytes().decode("utf-8").split("\n")
    except FileNotFoundError:
        raise RunError(f"{path}: not there. {remedy}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read ({error}). {remedy}") from None
    examples = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            examples.append(Example.model_validate_json(line))
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise RunError(f"{path} line {number}: damaged ({reason}). {remedy}") from None
    if not examples:
        raise RunError(f"{path}: holds no examples. {remedy}")
    return examples
