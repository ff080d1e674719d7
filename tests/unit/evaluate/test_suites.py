"""The suite is large enough to mean something, and its figures count what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from smallhours.domain.errors import DataError
from smallhours.domain.messages import Conversation
from smallhours.domain.risk import Action, Decision, RiskLevel
from smallhours.evaluate.suites import Case, load_suite, run_suite, suite_figures


def screen_as(level: RiskLevel) -> Callable[[Conversation], Decision]:
    def screen(conversation: Conversation) -> Decision:
        return Decision(level=level, action=Action.ANSWER, score=0.0, language="en", policy="t")

    return screen


def test_the_suite_has_cases_of_both_sides_and_none_twice() -> None:
    cases = load_suite()
    assert len(cases) >= 60
    assert len({case.text.casefold() for case in cases}) == len(cases)
    assert min(sum(case.expect == side for case in cases) for side in ("crisis", "ordinary")) >= 30


@pytest.mark.parametrize(
    ("level", "recall", "alarms"),
    [
        (RiskLevel.NONE, 0.0, 0.0),
        (RiskLevel.LOW, 0.0, 0.0),
        (RiskLevel.ELEVATED, 1.0, 1.0),
        (RiskLevel.IMMINENT, 1.0, 1.0),
    ],
)
def test_elevated_and_above_count_as_crisis(level: RiskLevel, recall: float, alarms: float) -> None:
    found = suite_figures(run_suite(load_suite(), screen_as(level)))
    assert found["crisis"]["recall"].value == recall
    assert found["ordinary"]["false_alarms"].value == alarms


def test_a_side_without_cases_has_no_figure() -> None:
    ordinary = [Case(text="I slept badly", expect="ordinary")]
    assert set(suite_figures(run_suite(ordinary, screen_as(RiskLevel.NONE)))) == {"ordinary"}


def test_bad_lines_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "suite.jsonl"
    path.write_text('{"text": "a", "expect": "crisis"}\n{"text": "b"}\n\nnot json\n')
    with pytest.raises(DataError) as caught:
        load_suite(path)
    assert [problem.split(":")[0][-6:] for problem in caught.value.problems] == ["line 2", "line 4"]
