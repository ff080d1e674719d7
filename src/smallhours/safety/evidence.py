"""What the phrases, the risk head and the reader say together of one message.

In one or two sentences a phrase means what it says. In a story it may be past, denied, or about somebody
else ("I was suicidal at twenty, and I am glad I stayed"), and the head, which takes the worst of many
sentences, is alarmed more easily the longer it reads. So they are added up, as log-odds: from the margins of
head and reader, from the length, and in messages of ``LONG`` words or more from each rule that found
something. The weights are learned by ``train.risk`` on text held aside by style; no rule's weight is below
zero. In short messages phrases stand as they are, and what is added up can only raise. What somebody says
outright (``OUTRIGHT``) is never weighed: it counts whatever stands around it.

Replies of ours are weighed in the same way, by weights of their own: the reader's score, and the rules that
good replies meet, too.

Not seen: who a sentence is about or when it happened, where neither phrases nor head nor reader can tell.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from smallhours.domain.messages import Frozen
from smallhours.domain.risk import Finding, RiskLevel
from smallhours.safety.language import guess_language
from smallhours.safety.pieces import UNSPACED

HEAD, READER = "classifier", "reader"  # the detectors that learned from examples
LEARNED = frozenset({HEAD, READER})
# Rules about the writer's own will or act, in words that hardly mean anything else.
OUTRIGHT = frozenset(
    {"active_ideation", "plan", "imminent_act", "recent_attempt", "command_voices", "guard_error"}
)
REPLY = "reply"  # the weights by which a reply of ours is weighed
OUTWEIGHED = "outweighed"
LONG = 25  # words
_TELLING = {HEAD: (-1.5, 2.5), READER: (-8.0, 8.0)}  # margins beyond these tell no more


class Scores(NamedTuple):
    """The margins of what has learned from examples."""

    head: float
    reader: float


class Evidence(Frozen):
    """Weights for one kind of message; a sum of ``threshold`` or more is a crisis."""

    bias: float
    common: tuple[float, ...]  # one for each of :func:`columns`
    rules: Mapping[str, float] = {}
    threshold: float = 0.0

    def total(self, scores: Scores, words: int, rules: Iterable[str] = ()) -> float:
        """The log-odds that a message is a crisis, above or below the threshold by so much."""
        learned = sum(w * x for w, x in zip(self.common, columns(scores, words), strict=True))
        said = sum(self.rules.get(rule, 0.0) for rule in set(rules))
        return self.bias + learned + said - self.threshold

    def of_reply(self, score: float, rules: Iterable[str] = ()) -> float:
        """The same of a reply of ours, for the reader's score; no head reads it, its length is nothing."""
        return self.total(Scores(0.0, score), 0, rules)


COLUMNS = 5


def columns(scores: Scores, words: int) -> tuple[float, ...]:
    """What is weighed: two margins, the log of the length over ``LONG``, and its products with them."""
    held = _within(scores.head, *_TELLING[HEAD])
    read = _within(scores.reader, *_TELLING[READER])
    longer = math.log(max(words, LONG) / LONG)
    return held, read, longer, held * longer, read * longer


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def kind(text: str) -> str:
    """Which weights a message is weighed by: there is more training text in English than in all others."""
    return ("long" if length(text) >= LONG else "short") + ("" if guess_language(text) == "en" else "_other")


def length(text: str) -> int:
    """Words; in a script without spaces two signs count as one."""
    unspaced = 0 if text.isascii() else len(UNSPACED.findall(text))
    return max(len(text.split()), unspaced // 2)


def telling(findings: Sequence[Finding]) -> list[Finding]:
    """The findings of rules that by themselves would make a message a crisis."""
    return [f for f in findings if f.detector not in LEARNED and f.level.is_crisis and not f.excepted]


def weighed(
    findings: Sequence[Finding], text: str, scales: Mapping[str, Evidence] | None = None
) -> tuple[Finding, ...]:
    """The findings in one message, weighed; of the learned ones a single one is left.

    Where the head found nothing to score, the rules stand as they are.
    """
    rules = [f for f in findings if f.detector not in LEARNED]
    head, reader = _scored(findings, HEAD), _scored(findings, READER)
    if head is None or head.score is None:
        return tuple(rules)
    scores = Scores(head.score, (reader.score if reader else None) or 0.0)
    learned = head if reader is None or reader.level <= head.level else _at(head, reader.level)
    said = [f.rule for f in telling(rules)]
    if OUTRIGHT & set(said):
        return (*rules, learned)
    words = length(text)
    evidence = (scales or shipped())[kind(text)]
    if evidence.total(scores, words, said) >= 0:
        enough = said or learned.level.is_crisis
        return (*rules, learned if enough else _at(learned, RiskLevel.ELEVATED))
    if words >= LONG:
        rules = [_outweighed(f) if f.level.is_crisis else f for f in rules]
    return (*rules, _at(learned, RiskLevel.NONE))


def weighed_reply(
    findings: Sequence[Finding], scales: Mapping[str, Evidence] | None = None
) -> tuple[Finding, ...]:
    """The findings in a reply of ours, weighed; any that is not excepted forbids it.

    Rules that have a weight are imprecise: they are added up with the reader's score, and excepted together
    or not at all. All others stand. Where the reader read nothing, all rules stand.
    """
    rules, reader = [f for f in findings if f.detector not in LEARNED], _scored(findings, READER)
    if reader is None or reader.score is None:
        return tuple(rules)
    evidence = (scales or shipped())[REPLY]
    said = [f.rule for f in rules if not f.excepted]
    if evidence.of_reply(reader.score, said) >= 0:
        return (*rules, _at(reader, RiskLevel.HIGH))
    return tuple(f if f.excepted or f.rule not in evidence.rules else _outweighed(f) for f in rules)


def _scored(findings: Sequence[Finding], detector: str) -> Finding | None:
    return next((f for f in findings if f.detector == detector and f.score is not None), None)


def _at(finding: Finding, level: RiskLevel) -> Finding:
    return finding.model_copy(update={"level": level})


def _outweighed(finding: Finding) -> Finding:
    return finding.model_copy(update={"level": RiskLevel.LOW, "excepted": finding.excepted or OUTWEIGHED})


@cache
def shipped() -> Mapping[str, Evidence]:
    """The weights beside the risk head, by kind of message."""
    raw = (files("smallhours.safety") / "data/risk_head.json").read_text("utf-8")
    about: Mapping[str, Any] = json.loads(raw)
    return {name: Evidence.model_validate(weights) for name, weights in about["evidence"].items()}
