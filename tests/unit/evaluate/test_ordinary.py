"""What was forgotten is measured on text of our own, and only where it was measured."""

from __future__ import annotations

import pytest

from smallhours.domain.errors import RunError
from smallhours.domain.ports import AnswerLoss
from smallhours.evaluate.learning import by_topic
from smallhours.evaluate.ordinary import measure_forgetting, ordinary_text

DRAWS = {"resamples": 200, "seed": 7}


def losses(*nll: float) -> list[AnswerLoss]:
    return [AnswerLoss(id=str(n), nll=each, tokens=10) for n, each in enumerate(nll)]


def test_there_is_enough_text_and_none_of_it_is_about_feelings() -> None:
    text = ordinary_text()
    assert len(text) >= 20 and len({one.id for one in text}) == len(text)
    assert not any("feel" in one.answer for one in text)


def test_above_zero_is_forgotten_and_the_interval_holds_it() -> None:
    found = measure_forgetting(losses(30, 20, 25), losses(33, 22, 27), **DRAWS)
    assert found is not None and found.change.value == pytest.approx(82 / 75 - 1)
    assert found.change.low is not None and found.change.high is not None
    assert 0 < found.change.low <= found.change.value <= found.change.high
    assert found.base.value == pytest.approx(2.5)


def test_what_was_not_measured_is_none_and_what_does_not_match_is_refused() -> None:
    assert measure_forgetting([], [], **DRAWS) is None
    with pytest.raises(RunError):
        measure_forgetting(losses(1, 2), losses(1), **DRAWS)


def test_topics_have_their_own_losses_and_one_answer_has_no_interval() -> None:
    found = by_topic(["sleep", "grief", "sleep"], losses(30, 40, 10), losses(15, 44, 5), **DRAWS)
    assert list(found) == ["grief", "sleep"]
    assert found["sleep"].reduction.value == pytest.approx(0.5) and found["sleep"].base.n == 2
    assert found["grief"].reduction.value == pytest.approx(-0.1) and found["grief"].reduction.low is None
