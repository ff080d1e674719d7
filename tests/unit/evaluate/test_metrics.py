"""Intervals hold their value, narrow with more cases, and refuse what is not a measurement."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from smallhours.evaluate.metrics import (
    Figure,
    bootstrap_mean,
    bootstrap_ratio,
    mapped,
    paired_reduction,
    wilson,
)

DRAWS = {"resamples": 200, "seed": 7}
positive = st.floats(0.01, 1e4)
pairs = st.lists(st.tuples(positive, positive), min_size=1, max_size=40)
few = settings(max_examples=60, deadline=None)


def width(figure: Figure) -> float:
    assert figure.low is not None and figure.high is not None
    return figure.high - figure.low


@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_holds_the_share_and_stays_between_0_and_1(n: int, rate: float) -> None:
    found = wilson(round(rate * n), n)
    assert found.low is not None and found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.integers(1, 50), st.integers(0, 50), st.integers(2, 20))
def test_wilson_narrows_with_more_cases_of_the_same_rate(n: int, hits: int, times: int) -> None:
    hits = min(hits, n)
    assert width(wilson(hits * times, n * times)) < width(wilson(hits, n))


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_gives_the_published_values(hits: int, n: int, low: float, high: float) -> None:
    found = wilson(hits, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 4)])
def test_what_is_not_a_share_is_refused(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="not a share"):
        wilson(hits, n)


@few
@given(pairs)
def test_a_ratio_holds_its_value_and_counts_examples(columns: list[tuple[float, float]]) -> None:
    top, bottom = [a for a, _ in columns], [b for _, b in columns]
    found = bootstrap_ratio(top, bottom, **DRAWS)
    assert found.value == pytest.approx(sum(top) / sum(bottom))
    assert found.n == len(columns)
    assert (found.low is None) == (len(columns) == 1)


@few
@given(pairs)
def test_a_reduction_holds_its_value(columns: list[tuple[float, float]]) -> None:
    before, after = [a for a, _ in columns], [b for _, b in columns]
    assert paired_reduction(before, after, **DRAWS).value == pytest.approx(1 - sum(after) / sum(before))


@few
@given(st.lists(st.floats(-100, 100), min_size=4, max_size=20).filter(lambda xs: max(xs) - min(xs) > 1))
def test_a_mean_narrows_with_more_examples_of_the_same_kind(values: list[float]) -> None:
    assert width(bootstrap_mean(values * 16, **DRAWS)) < width(bootstrap_mean(values, **DRAWS))


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [1.0, 4.0, 2.0, 8.0]
    assert bootstrap_mean(values, **DRAWS) == bootstrap_mean(values, **DRAWS)
    assert bootstrap_mean(values, **DRAWS) != bootstrap_mean(values, resamples=200, seed=8)


def test_blocks_of_resamples_do_not_change_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smallhours.evaluate.metrics.BLOCK", 10)
    assert width(bootstrap_mean([0.0, 1.0] * 20, resamples=101, seed=1)) > 0.1


def test_pairing_cancels_what_makes_an_example_hard() -> None:
    before = [10.0, 50.0, 20.0, 90.0, 40.0]
    assert width(paired_reduction(before, [0.9 * x for x in before], **DRAWS)) < 1e-9


def test_perplexity_is_the_loss_under_exp() -> None:
    found = mapped(Figure(value=1.0, n=3, low=0.5, high=2.0), math.exp)
    assert (found.low, found.value, found.high) == (math.exp(0.5), math.e, math.exp(2.0))
    assert mapped(Figure(value=1.0, n=1), math.exp).low is None


@pytest.mark.parametrize(
    "fields",
    [
        {"value": math.nan, "n": 3},
        {"value": math.inf, "n": 3},
        {"value": 1.0, "n": 0},
        {"value": 1.0, "n": 3, "low": 2.0, "high": 3.0},
        {"value": 1.0, "n": 3, "low": 0.5},
    ],
)
def test_a_figure_that_was_not_measured_cannot_be_written(fields: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Figure.model_validate(fields)


@pytest.mark.parametrize(
    ("top", "bottom"), [([], []), ([1.0], [0.0]), ([1.0, 2.0], [1.0]), ([math.nan], [1.0])]
)
def test_a_ratio_of_nothing_is_refused(top: list[float], bottom: list[float]) -> None:
    with pytest.raises(ValueError):
        bootstrap_ratio(top, bottom, **DRAWS)
