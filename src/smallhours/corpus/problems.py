"""What a pair can fall short of, and how that is said."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from smallhours.corpus.rows import Fault
from smallhours.corpus.scrub import scrub
from smallhours.corpus.shapes import Found
from smallhours.domain.messages import Frozen, Message, Role
from smallhours.domain.records import Example


class Severity(StrEnum):
    """``error``: the pair cannot be used. ``warning``: somebody should look at it."""

    ERROR = "error"
    WARNING = "warning"


class Rule(StrEnum):
    """What a pair can fall short of."""

    UNREADABLE = "unreadable row"
    CRISIS = "question in a crisis"
    ECHO = "answer repeats the question"
    NEAR_EMPTY = "near-empty text"
    TOO_LONG = "message too long"
    DIAGNOSIS = "answer diagnoses"
    DOSE = "answer doses"
    REPEAT = "repeated pair"
    ENCODING = "encoding damage"
    HTML = "HTML left over"
    PERSONAL = "personal data"
    LENGTH = "answer length"


class Problem(Frozen):
    """One line about one pair: where, which rule, what was found, and what to do. No personal data in it."""

    place: str
    id: str = ""
    field: str = ""
    rule: Rule
    text: str
    remedy: str = ""
    severity: Severity

    def __str__(self) -> str:
        said = " ".join(part for part in (self.field, self.text) if part)
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.place}: {said}{remedy} ({self.severity})"


class Flaw(NamedTuple):
    """A problem whose pair is known to whoever asks."""

    field: str
    rule: Rule
    text: str
    remedy: str
    severity: Severity = Severity.WARNING


def problem(item: Found | Fault, flaw: Flaw) -> Problem:
    """The flaw of a certain row."""
    return Problem(place=item.place, id=item.example.id if isinstance(item, Found) else "", **flaw._asdict())


def unreadable(fault: Fault) -> Flaw:
    """What is wrong with a row that gives no pair; what it quotes of the row is scrubbed."""
    return Flaw("", Rule.UNREADABLE, scrub(fault.text).text, "", Severity.ERROR)


def learnt(example: Example) -> Iterator[tuple[int, Message]]:
    """The messages and their positions, fixed replies (weight 0) left out: those are not ours to judge."""
    for position, message in enumerate(example.messages):
        if message.role is not Role.ASSISTANT or message.weight > 0:
            yield position, message


def field_name(example: Example, position: int) -> str:
    """``answer`` for the last message, ``question`` for the one before it, else its number."""
    last = len(example.messages) - 1
    if position == last:
        return "answer"
    is_question = position == last - 1 and example.messages[position].role is Role.USER
    return "question" if is_question else f"messages.{position}"
