"""Loss before and after is of the same tokens, and the curve shows logged values only."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from smallhours.domain.artifacts import staged_folder
from smallhours.domain.errors import RunError
from smallhours.domain.ports import AnswerLoss
from smallhours.evaluate.learning import measure_learning, read_curve, read_folds

DRAWS = {"resamples": 200, "seed": 7}


def losses(*of: tuple[str, float, int]) -> list[AnswerLoss]:
    return [AnswerLoss(id=name, nll=nll, tokens=tokens) for name, nll, tokens in of]


BEFORE = losses(("a", 30.0, 10), ("b", 90.0, 30))
AFTER = losses(("a", 24.0, 10), ("b", 72.0, 30))


def test_loss_is_nats_per_token_over_all_answers() -> None:
    found = measure_learning(BEFORE, AFTER, **DRAWS)
    assert found.base.loss.value == pytest.approx(120 / 40)
    assert found.tuned.loss.value == pytest.approx(96 / 40)
    assert found.tuned.perplexity.value == pytest.approx(math.exp(2.4))
    assert found.reduction.value == pytest.approx(0.2)
    assert found.difference.value == pytest.approx(-0.6)
    assert (found.base.loss.n, found.tokens) == (2, 40)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ([], [], "test split is empty"),
        (BEFORE, AFTER[:1], "same answers and tokens"),
        (BEFORE, losses(("a", 24.0, 10), ("b", 72.0, 31)), "same answers and tokens"),
        (BEFORE, losses(("a", math.nan, 10), ("b", 72.0, 30)), "diverged"),
        (BEFORE, losses(("a", math.inf, 10), ("b", 72.0, 30)), "diverged"),
    ],
)
def test_losses_that_cannot_be_compared_are_refused(
    before: list[AnswerLoss], after: list[AnswerLoss], says: str
) -> None:
    with pytest.raises(RunError, match=says):
        measure_learning(before, after, **DRAWS)


def test_the_curve_is_the_log_with_the_kept_step(run_folder: Path) -> None:
    curve = read_curve(run_folder / "adapter")
    assert curve.kept == 8
    assert curve.validation == ((0, 3.03), (4, 2.7), (8, 2.6), (12, 2.8))
    assert len(curve.train) == len(curve.smoothed) == 12
    assert curve.damaged == 1
    assert curve.drawable


def test_folds_are_read_where_there_are_any(tmp_path: Path) -> None:
    found = {"value": 0.9, "low": 0.7, "high": 1.1, "n": 10}
    figures = {
        "held_out_loss_before": {**found, "value": 1.0},
        "held_out_loss_reduction": found,
        "seconds": 3,
    }
    with staged_folder(tmp_path / "folds", stage="f", inputs={}, config={}, seed=1, figures=figures):
        pass
    assert {name: one.value for name, one in read_folds(tmp_path / "folds").items()} == {
        "before": 1.0, "reduction": 0.9,
    }  # fmt: skip
    assert read_folds(tmp_path / "nothing") == {}


def test_no_log_is_no_curve(tmp_path: Path) -> None:
    curve = read_curve(tmp_path / "adapter")
    assert not curve.drawable
    assert curve.kept is None
