"""What is wrong with pairs that can be read: errors stop a build, warnings are counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from smallhours.corpus.text import asked, count_words, wording
from smallhours.domain.messages import Frozen
from smallhours.domain.records import Example

ANSWER_WORDS = (20, 120)
BUILTIN_ANSWER_WORDS = (35, 70)
LONGEST_MESSAGE = 8000  # characters; beyond it a message is a document, and no model here can read it

_CONDITION = (
    r"(?:an? )?(?:\w+ )?(?:depression|anxiety|adhd|autism|ocd|ptsd|gad|bipolar|psychosis|schizophrenia|"
    r"insomnia|\w+ disorder)"
)
_DIAGNOSIS = re.compile(
    rf"\byou(?: (?:clearly|probably|likely|definitely|must|may|might))? have {_CONDITION}\b"
    rf"|\b(?:this|that|it) (?:is|sounds like) (?:clearly |probably )?{_CONDITION}\b"
    r"|\byou(?:'re| are) (?:clearly |probably )?(?:bipolar|autistic|psychotic|clinically)\b",
    re.IGNORECASE,
)
_DOSE = re.compile(
    r"\b\d+(?:\.\d+)? ?(?:mg|mcg|milligrams?|micrograms?|ml)\b"
    r"|\btake (?:\w+ )?(?:one|two|three|\d+|more|fewer) (?:\w+ )?(?:tablets?|pills?|capsules?)\b"
    r"|\b(?:double|halve|increase|reduce|lower|skip|stop taking) your (?:\w+ )?"
    r"(?:dose|medication|medicine|tablets?)\b",
    re.IGNORECASE,
)
# "I can't say whether this is depression" leaves it open, which is right.
_OPEN = re.compile(r"\b(?:whether|if|not|never|cannot|\w+n't)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")


class Severity(StrEnum):
    """``error``: the pair cannot be used. ``warning``: somebody should look at it."""

    ERROR = "error"
    WARNING = "warning"


class Problem(Frozen):
    """One line about one pair: where, which rule, and what to do."""

    source: str
    id: str
    field: str
    rule: str
    remedy: str
    severity: Severity

    def __str__(self) -> str:
        return f"{self.source} pair '{self.id}': {self.field} {self.rule}; {self.remedy} ({self.severity})"


def check_pairs(
    examples: Sequence[Example], source_name: str, answer_words: tuple[int, int] = ANSWER_WORDS
) -> list[Problem]:
    """Everything questionable about the pairs, in their order.

    ``answer_words`` is the length (in words, both ends included) an answer should have. The checks
    of content know a few plain English phrases; they do not replace a person who reads.
    """
    found = []
    seen: dict[tuple[str, str], str] = {}
    for example in examples:
        own = [*_check_answer(example, answer_words), *_check_lengths(example)]
        key = (asked(example), wording(example.answer))
        if key in seen:
            own.append(("question", f"and answer repeat pair '{seen[key]}'", "remove one", Severity.WARNING))
        seen.setdefault(key, example.id)
        found += [
            Problem(
                source=source_name, id=example.id, field=field, rule=rule, remedy=remedy, severity=severity
            )
            for field, rule, remedy, severity in own
        ]
    return found


def _check_answer(example: Example, band: tuple[int, int]) -> list[tuple[str, str, str, Severity]]:
    low, high = band
    words = count_words(example.answer)
    found = []
    if wording(example.answer) == wording(example.question):
        found.append(("answer", "repeats the question", "write the answer", Severity.ERROR))
    if words == 1:
        found.append(("answer", "is a single word", "write at least a sentence", Severity.ERROR))
    elif not low <= words <= high:
        found.append(("answer", f"has {words} words", f"aim for {low} to {high}", Severity.WARNING))
    for sentence in _SENTENCE_END.split(example.answer.replace("’", "'")):
        for pattern, what in ((_DIAGNOSIS, "diagnose"), (_DOSE, "dose a medicine")):
            match = pattern.search(sentence)
            if match and not _OPEN.search(sentence, 0, match.start()):
                remedy = "name no condition and no dose, point to a professional"
                found.append(("answer", f"seems to {what} ('{match[0]}')", remedy, Severity.WARNING))
    return found


def _check_lengths(example: Example) -> list[tuple[str, str, str, Severity]]:
    return [
        (
            f"messages.{position}",
            f"has {len(message.content)} characters",
            f"shorten it to {LONGEST_MESSAGE} or fewer",
            Severity.ERROR,
        )
        for position, message in enumerate(example.messages)
        if len(message.content) > LONGEST_MESSAGE
    ]
