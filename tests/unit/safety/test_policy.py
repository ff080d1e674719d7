"""Findings to a decision."""

from __future__ import annotations

from smallhours.domain.risk import Action, Finding, RiskCategory, RiskLevel
from smallhours.safety import policy


def finding(level: RiskLevel, rule: str = "r", category: RiskCategory | None = None) -> Finding:
    return Finding(detector="d", rule=rule, level=level, category=category)


def test_nothing_found_is_an_ordinary_answer() -> None:
    decision = policy.decide([], "en")
    assert (decision.level, decision.action, decision.score) == (RiskLevel.NONE, Action.ANSWER, 0.0)
    assert decision.policy == policy.VERSION == "2026-11"


def test_the_worst_finding_decides() -> None:
    decision = policy.decide([finding(RiskLevel.LOW), finding(RiskLevel.HIGH)], "en")
    assert (decision.level, decision.action) == (RiskLevel.HIGH, Action.CRISIS_REPLY)


def test_actions_by_level() -> None:
    actions = [policy.action_for(level) for level in RiskLevel]
    assert actions == [
        Action.ANSWER,
        Action.ANSWER,
        Action.ANSWER_WITH_RESOURCES,
        Action.CRISIS_REPLY,
        Action.CRISIS_REPLY,
    ]


def test_more_rules_raise_the_score_but_never_past_the_next_level() -> None:
    best = 0.0
    for level in list(RiskLevel)[1:]:
        one = policy.decide([finding(level)], "en").score
        many = policy.decide([finding(level, f"r{i}") for i in range(50)], "en").score
        assert best < one < many <= 1
        best = many


def test_categories_come_from_findings_that_still_weigh_something() -> None:
    decision = policy.decide(
        [
            finding(RiskLevel.HIGH, category=RiskCategory.ABUSE),
            finding(RiskLevel.NONE, category=RiskCategory.SUICIDE),
        ],
        "en",
    )
    assert decision.categories == (RiskCategory.ABUSE,)
