"""One example in, the repaired one out with what was done, or the reasons to leave it out.

Put right by itself: encoding damage, leftovers of HTML, white space, personal data (masked). Left out: what
stops a build (a crisis answered by a model, an answer that says nothing), answers that diagnose or dose, and
repeats. Fixed replies (weight 0) stay as they are. Nothing is ever written in the place of a text.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from smallhours.corpus.content import content_flaws
from smallhours.corpus.damage import fix_all, fix_encoding, fix_html
from smallhours.corpus.problems import Flaw, Rule, Severity, field_name, learnt, unreadable
from smallhours.corpus.rows import Fault
from smallhours.corpus.screening import Screen
from smallhours.corpus.scrub import scrub_all
from smallhours.corpus.shapes import Found
from smallhours.corpus.validate import ANSWER_WORDS, Seen
from smallhours.domain.messages import Message
from smallhours.domain.records import Example

# Warnings that no program can put right and no model should learn.
_LEFT_OUT = {Rule.DIAGNOSIS, Rule.DOSE}


class Deed(StrEnum):
    """What was done to a text."""

    ENCODING = "encoding repaired"
    HTML = "HTML removed"
    SPACES = "white space tidied"
    MASKED = "personal data masked"


@dataclass(frozen=True, slots=True)
class Done:
    """One deed, in which field, and what of (kinds and counts, never the data)."""

    deed: Deed
    field: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What became of a row: an example and what was done to it, or None and the reasons."""

    place: str
    id: str
    example: Example | None
    done: tuple[Done, ...] = ()
    reasons: tuple[Flaw, ...] = ()


class Repairer:
    """Repairs one row after the other; remembers those it kept, so that repeats go."""

    def __init__(self, screen: Screen | None = None) -> None:
        self._screen = screen
        self._kept = Seen()

    def repair(self, item: Found | Fault) -> Repaired:
        """The row as it can be used, or why it cannot."""
        if isinstance(item, Fault):
            return Repaired(item.place, "", None, reasons=(unreadable(item),))
        done: list[Done] = []
        example = _with_texts(item.example, _cleaned(item.example, done))
        reasons = _reasons(example, self._screen)
        if not reasons:
            example = _with_texts(example, _masked(example, done))
            first = self._kept.first(example, item.place)
            reasons = [Flaw("question", Rule.REPEAT, f"and answer repeat {first}", "")] if first else []
        kept = None if reasons else example
        return Repaired(item.place, item.example.id, kept, tuple(done) if kept else (), tuple(reasons))


def _reasons(example: Example, screen: Screen | None) -> list[Flaw]:
    empty = [
        Flaw(field_name(example, position), Rule.NEAR_EMPTY, "is empty once it is tidied", "", Severity.ERROR)
        for position, message in enumerate(example.messages)
        if not message.content
    ]
    flaws = empty or content_flaws(example, ANSWER_WORDS, screen)
    return [flaw for flaw in flaws if flaw.severity is Severity.ERROR or flaw.rule in _LEFT_OUT]


def _cleaned(example: Example, done: list[Done]) -> dict[int, str]:
    texts = {}
    for position, message in learnt(example):
        before = message.content
        texts[position] = fix_all(before)
        if texts[position] == before:
            continue
        name = field_name(example, position)
        encoded = fix_encoding(before)
        deeds = [
            *[Deed.ENCODING] * (encoded != before),
            *[Deed.HTML] * (fix_html(encoded) != encoded),
        ]
        done += [Done(deed, name) for deed in deeds or [Deed.SPACES]]
    return texts


def _masked(example: Example, done: list[Done]) -> dict[int, str]:
    kept = list(learnt(example))
    scrubbed = scrub_all([message.content for _, message in kept])
    for (position, _), one in zip(kept, scrubbed, strict=True):
        if one.spans:
            kinds = Counter(span.kind.value for span in one.spans)
            detail = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
            done.append(Done(Deed.MASKED, field_name(example, position), detail))
    return {position: one.text for (position, _), one in zip(kept, scrubbed, strict=True)}


def _with_texts(example: Example, texts: dict[int, str]) -> Example:
    def told(position: int, message: Message) -> Message:
        text = texts.get(position, message.content)
        return message if text == message.content else message.model_copy(update={"content": text})

    messages = tuple(told(position, message) for position, message in enumerate(example.messages))
    return example if messages == example.messages else example.model_copy(update={"messages": messages})
