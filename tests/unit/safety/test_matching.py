"""Exceptions reach as far as they say, and no further."""

from __future__ import annotations

import pytest

from smallhours.domain.risk import RiskLevel
from smallhours.safety.detectors import crisis
from smallhours.safety.matching import worst


def level(text: str) -> RiskLevel:
    return worst(crisis.detect(text))


@pytest.mark.parametrize(
    "prefix",
    [
        "haha this exam is killing me. ",
        "i'm dying to see that film, ",
        "how do i kill a python process? ",
        "i'm not suicidal. ",
        "in the movie he dies and ",
        "just kidding, ",
        "for a story: ",
        "i love the song “i want to die” but ",
        "my phone died and ",
        "suicide prevention week was nice, ",
    ],
)
@pytest.mark.parametrize("statement", ["i want to kill myself", "i want to end my life tonight"])
def test_an_exception_never_wins_over_a_statement_elsewhere(prefix: str, statement: str) -> None:
    assert level(prefix + statement).rank >= RiskLevel.HIGH.rank


def test_a_quotation_in_context_is_not_a_statement() -> None:
    assert level('what does the lyric "i want to die" mean').rank <= RiskLevel.LOW.rank


def test_quotation_marks_alone_excuse_nothing() -> None:
    assert level('"i want to die"').rank >= RiskLevel.HIGH.rank


def test_a_denial_lowers_and_leaves_a_trace() -> None:
    findings = crisis.detect("i would never kill myself")
    assert worst(findings) is RiskLevel.LOW
    assert any(f.excepted == "denied" for f in findings)


def test_a_hedged_denial_stays_elevated() -> None:
    assert level("i don't want to die but i don't want to live either") is RiskLevel.ELEVATED


def test_spans_are_characters_of_the_original() -> None:
    text = "well… i w​ant to d​ie, ok"
    finding = next(f for f in crisis.detect(text) if f.level is RiskLevel.HIGH)
    assert text[slice(*finding.span)].endswith("w​ant to d​ie")


def test_repeating_oneself_a_thousand_times_stays_small() -> None:
    findings = crisis.detect("i am not suicidal. " * 3000 + "i want to die")
    assert worst(findings) is RiskLevel.HIGH
    assert len(findings) < 200
