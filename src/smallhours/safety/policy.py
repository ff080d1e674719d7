"""Findings to a decision: pure, versioned, and small enough to read in one go.

The lexicons say how much one phrase weighs; the policy says what several together mean, what the
person gets, and the score. Change a number here and ``VERSION`` with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from smallhours.domain.risk import Action, Decision, Finding, RiskCategory, RiskLevel
from smallhours.safety.evidence import LEARNED

VERSION = "2026-11"

_SHORT = 80  # characters

_ACTIONS = {
    RiskLevel.NONE: Action.ANSWER,
    RiskLevel.LOW: Action.ANSWER,
    RiskLevel.ELEVATED: Action.ANSWER_WITH_RESOURCES,
    RiskLevel.HIGH: Action.CRISIS_REPLY,
    RiskLevel.IMMINENT: Action.CRISIS_REPLY,
}
# A level's score begins here; further rules add to it, but never up to the next level.
_SCORES = {
    RiskLevel.NONE: 0.0,
    RiskLevel.LOW: 0.15,
    RiskLevel.ELEVATED: 0.5,
    RiskLevel.HIGH: 0.75,
    RiskLevel.IMMINENT: 0.92,
}
_PER_RULE = 0.02
_MOST_ADDED = 0.07


def action_for(level: RiskLevel) -> Action:
    """What the person gets at a level."""
    return _ACTIONS[level]


def joined(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings in one message, with the learned ones where they add something.

    Where the rules see as much, theirs stand alone: they know whom a message speaks of and what it is
    about. A short statement in which they excused all they found (a denial, an idiom) is excused for
    the head, too; anything longer may hold more than what was excused.
    """
    rules = [f for f in findings if f.detector not in LEARNED]
    seen = max((f.level.rank for f in rules if not f.excepted), default=0)
    kept: list[Finding] = list(rules)
    for finding in findings:
        if finding.detector not in LEARNED or finding.level.rank <= seen:
            continue
        start, end = finding.span
        inside = [f for f in rules if f.category and start <= f.span[0] and f.span[1] <= end]
        if inside and end - start <= _SHORT and all(f.excepted for f in inside):
            excuse = inside[0].excepted
            kept.append(finding.model_copy(update={"level": RiskLevel.NONE, "excepted": excuse}))
        else:
            kept.append(finding)
    return tuple(kept)


def decide(findings: Sequence[Finding], language: str) -> Decision:
    """The decision for all findings of a conversation, each already at the weight it has today."""
    level = max((f.level for f in findings), key=lambda x: x.rank, default=RiskLevel.NONE)
    rules = {f.rule for f in findings if f.level.rank > 0}
    added = min(_PER_RULE * max(0, len(rules) - 1), _MOST_ADDED)
    telling = {f.category for f in findings if f.category and f.level.rank > 0}
    return Decision(
        level=level,
        categories=tuple(c for c in RiskCategory if c in telling),
        action=action_for(level),
        score=round(_SCORES[level] + added, 3),
        language=language,
        findings=tuple(findings),
        policy=VERSION,
    )
