"""Figures with their uncertainty: every one carries ``n`` and a 95 % interval.

Shares get Wilson's score interval (E. B. Wilson, 1927, JASA 22:209-212); means and ratios get the
percentile bootstrap (B. Efron, 1979, Annals of Statistics 7:1-26), which resamples whole examples,
because the tokens of one answer are not independent. Both are too narrow for a handful of examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from smallhours.domain.messages import Frozen
from smallhours.domain.shares import wilson_interval

PERCENTILES = (2.5, 97.5)
BLOCK = 1_000_000  # resampled indices held in memory at a time

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Statistic = Callable[[Indices], Floats]


class Figure(Frozen):
    """A measured value, the number of cases behind it, and its 95 % interval.

    ``low`` and ``high`` are both ``None`` where an interval makes no sense, for example with one case.
    A value that is not finite is refused: what could not be measured is left out, never written as 0.
    """

    value: float = Field(allow_inf_nan=False)
    n: int = Field(ge=1)
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _interval_holds_the_value(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends or none")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ValueError(f"the interval {self.low} to {self.high} does not hold the value {self.value}")
        return self


def wilson(successes: int, n: int) -> Figure:
    """A share of ``n`` cases (``n`` at least 1) in 0..1, with Wilson's 95 % score interval."""
    low, high = wilson_interval(successes, n)
    return _figure(successes / n, n, low, high)


def bootstrap_mean(values: Sequence[float], *, resamples: int, seed: int) -> Figure:
    """The mean of ``values`` (at least one), with a percentile bootstrap interval over them."""
    return bootstrap_ratio(values, [1.0] * len(values), resamples=resamples, seed=seed)


def bootstrap_ratio(
    numerators: Sequence[float], denominators: Sequence[float], *, resamples: int, seed: int
) -> Figure:
    """sum(numerators) / sum(denominators), one pair per example; denominators are positive.

    The interval resamples examples and takes the ratio of sums each time. It is the percentile
    interval, widened where needed so that it holds the value itself.
    """
    top, bottom = _columns(numerators, denominators)

    def ratio(at: Indices) -> Floats:
        return _sums(top, at) / _sums(bottom, at)

    return _bootstrap(ratio, len(top), resamples, seed)


def paired_reduction(before: Sequence[float], after: Sequence[float], *, resamples: int, seed: int) -> Figure:
    """1 - sum(after) / sum(before) over the same examples in the same order; ``before`` is positive.

    0.1 means that a tenth is gone; below zero it grew. Each resample takes both sides of an example
    together, so what makes an example hard for both models cancels.
    """
    top, bottom = _columns(after, before)

    def reduction(at: Indices) -> Floats:
        return 1.0 - _sums(top, at) / _sums(bottom, at)

    return _bootstrap(reduction, len(top), resamples, seed)


def mapped(figure: Figure, rising: Callable[[float], float]) -> Figure:
    """The figure under a rising function, ends and all: perplexity is ``mapped(loss, math.exp)``."""
    if figure.low is None or figure.high is None:
        return Figure(value=rising(figure.value), n=figure.n)
    return _figure(rising(figure.value), figure.n, rising(figure.low), rising(figure.high))


def _columns(numerators: Sequence[float], denominators: Sequence[float]) -> tuple[Floats, Floats]:
    top = np.asarray(numerators, dtype=np.float64)
    bottom = np.asarray(denominators, dtype=np.float64)
    if top.ndim != 1 or top.shape != bottom.shape or not len(top):
        raise ValueError(f"need one numerator per denominator and at least one: {top.shape}, {bottom.shape}")
    if not (np.isfinite(top).all() and np.isfinite(bottom).all() and (bottom > 0).all()):
        raise ValueError("numerators must be finite, denominators finite and above zero")
    return top, bottom


def _sums(values: Floats, at: Indices) -> Floats:
    sums: Floats = values[at].sum(axis=1)
    return sums


def _bootstrap(statistic: Statistic, n: int, resamples: int, seed: int) -> Figure:
    value = float(statistic(np.arange(n, dtype=np.int64)[None, :])[0])
    if n < 2:
        return Figure(value=value, n=n)
    draws = np.concatenate([statistic(at) for at in _resampled(n, resamples, seed)])
    low, high = (float(end) for end in np.percentile(draws, PERCENTILES))
    return _figure(value, n, low, high)


def _resampled(n: int, resamples: int, seed: int) -> Iterator[Indices]:
    """Rows of ``n`` indices drawn with replacement, in blocks that fit in memory."""
    generator = np.random.default_rng(seed)
    rows = max(1, BLOCK // n)
    for start in range(0, resamples, rows):
        yield generator.integers(0, n, size=(min(rows, resamples - start), n))


def _figure(value: float, n: int, low: float, high: float) -> Figure:
    return Figure(value=value, n=n, low=min(low, value), high=max(high, value))
