"""The risk head's curve climbs, its bins count, and what it does not read is not found."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.domain.risk import RiskLevel
from smallhours.evaluate.curves import HeadCurves, head_curves
from smallhours.evaluate.suites import Case, Outcome

scored = st.lists(
    st.tuples(st.booleans(), st.one_of(st.none(), st.floats(-3, 3))), min_size=2, max_size=60
).filter(lambda rows: len({crisis for crisis, _ in rows}) == 2)


def curves(*rows: tuple[bool, float | None]) -> HeadCurves:
    cases = [
        Case(text=str(n), expect="crisis" if crisis else "ordinary") for n, (crisis, _) in enumerate(rows)
    ]
    outcomes = [Outcome(case=case, level=RiskLevel.HIGH) for case in cases]
    found = head_curves(cases, [score for _, score in rows], outcomes)
    assert found is not None
    return found


def test_the_chosen_threshold_is_zero() -> None:
    found = curves((True, 0.4), (True, -0.1), (False, 0.2), (False, -1.0), (True, None))
    assert found.chosen.recall == pytest.approx(1 / 3)
    assert found.chosen.false_alarms == 0.5
    assert found.unread == 1
    assert (found.whole.recall, found.whole.false_alarms) == (1.0, 1.0)


@given(scored)
def test_a_lower_threshold_never_finds_less(rows: list[tuple[bool, float | None]]) -> None:
    points = curves(*rows).points
    for before, after in pairwise(points):
        assert before.recall <= after.recall and before.false_alarms <= after.false_alarms


@given(scored)
def test_bins_hold_every_message_that_was_read_once(rows: list[tuple[bool, float | None]]) -> None:
    found, read = curves(*rows), [crisis for crisis, score in rows if score is not None]
    if found.bins:
        assert sum(one.crises.n for one in found.bins) == len(read)
        assert sum(round(one.crises.value * one.crises.n) for one in found.bins) == sum(read)
        assert all(a.high <= b.low for a, b in pairwise(found.bins))


def test_one_kind_of_case_alone_has_no_curve() -> None:
    case = Case(text="a", expect="crisis")
    assert head_curves([case], [1.0], [Outcome(case=case, level=RiskLevel.HIGH)]) is None
