"""What only a person can put right: a crisis answered by a model, an answer that says nothing or too much.

The rules know a few plain English phrases; they do not replace a person who reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from smallhours.corpus.problems import Flaw, Rule, Severity, field_name, learnt
from smallhours.corpus.screening import BROKEN, Screen, crises
from smallhours.corpus.text import count_words, wording
from smallhours.domain.messages import Role
from smallhours.domain.records import Example

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
# What stands in a cell that nobody filled.
_PLACEHOLDERS = {
    "na",
    "n a",
    "nan",
    "null",
    "none",
    "nil",
    "tbd",
    "todo",
    "deleted",
    "removed",
    "see above",
    "same as above",
}


def content_flaws(example: Example, band: tuple[int, int], screen: Screen | None) -> Iterator[Flaw]:
    """The flaws of one pair. ``band`` is the length an answer should have, in words."""
    for position, level in crises(example, screen) if screen else ():
        said = BROKEN if level == BROKEN else f"is a crisis ({level})"
        remedy = "no model may learn to answer it: run corpus check --fix"
        yield Flaw(field_name(example, position), Rule.CRISIS, said, remedy, Severity.ERROR)
    if example.messages[-1].weight > 0:
        yield from _answer_flaws(example, band)
    for position, message in learnt(example):
        for rule, match in _advice(message.content) if message.role is Role.ASSISTANT else ():
            said = f"seems to {'diagnose' if rule is Rule.DIAGNOSIS else 'dose a medicine'} ('{match}')"
            remedy = "name no condition and no dose, point to a professional"
            yield Flaw(field_name(example, position), rule, said, remedy)
        if len(message.content) > LONGEST_MESSAGE:
            said = f"has {len(message.content)} characters"
            remedy = f"shorten it to {LONGEST_MESSAGE} or fewer"
            yield Flaw(f"messages.{position}", Rule.TOO_LONG, said, remedy, Severity.ERROR)


def _answer_flaws(example: Example, band: tuple[int, int]) -> Iterator[Flaw]:
    words, plain = count_words(example.answer), wording(example.answer)
    if plain and plain == wording(example.question):
        yield Flaw("answer", Rule.ECHO, "repeats the question", "write the answer", Severity.ERROR)
    if not plain or plain in _PLACEHOLDERS:
        yield Flaw("answer", Rule.NEAR_EMPTY, "says nothing", "write the answer", Severity.ERROR)
    elif words == 1:
        yield Flaw("answer", Rule.NEAR_EMPTY, "is a single word", "write at least a sentence", Severity.ERROR)
    elif not band[0] <= words <= band[1]:
        yield Flaw("answer", Rule.LENGTH, f"has {words} words", f"aim for {band[0]} to {band[1]}")


def _advice(answer: str) -> Iterator[tuple[Rule, str]]:
    for sentence in _SENTENCE_END.split(answer.replace("’", "'")):
        for rule, pattern in ((Rule.DIAGNOSIS, _DIAGNOSIS), (Rule.DOSE, _DOSE)):
            match = pattern.search(sentence)
            if match and not _OPEN.search(sentence, 0, match.start()):
                yield rule, match[0]
