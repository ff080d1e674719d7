"""Cohen's kappa, and what it says where it says nothing."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.domain.agreement import Z95, cohens_kappa

VERDICTS = ("approve", "edit", "reject")
Table = dict[tuple[str, str], int]
tables = st.lists(st.tuples(*[st.sampled_from(VERDICTS)] * 2), min_size=1, max_size=60)


def spread(table: Table) -> list[tuple[str, str]]:
    return [cell for cell, count in table.items() for _ in range(count)]


def plain_kappa(shares: dict[tuple[str, str], float]) -> float:
    one = {v: sum(s for (a, _), s in shares.items() if a == v) for v in VERDICTS}
    other = {v: sum(s for (_, b), s in shares.items() if b == v) for v in VERDICTS}
    seen = sum(s for (a, b), s in shares.items() if a == b)
    chance = sum(one[v] * other[v] for v in VERDICTS)
    return (seen - chance) / (1 - chance)


def test_a_table_worked_by_hand() -> None:
    # 20 + 15 of 50 agree; by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5; kappa = (0.7 - 0.5) / (1 - 0.5).
    kappa = cohens_kappa(
        spread(
            {
                ("approve", "approve"): 20,
                ("approve", "reject"): 5,
                ("reject", "approve"): 10,
                ("reject", "reject"): 15,
            }
        )
    )
    assert kappa.value == pytest.approx(0.4) and (kappa.n, kappa.agreed) == (50, 35)
    assert str(kappa) == "35 of 50 verdicts the same, kappa 0.40 (0.15 to 0.65; n = 50)"


@pytest.mark.parametrize(
    "counts", [(20, 5, 3, 4, 15, 6, 2, 1, 9), (40, 0, 1, 3, 2, 0, 0, 1, 3), (5, 9, 8, 7, 2, 9, 9, 9, 1)]
)
def test_the_interval_is_that_of_the_delta_method(counts: tuple[int, ...]) -> None:
    table = dict(zip(product(VERDICTS, VERDICTS), counts, strict=True))
    n, step = sum(counts), 1e-6
    shares = {cell: count / n for cell, count in table.items()}
    slopes = {
        cell: (plain_kappa(shares | {cell: s + step}) - plain_kappa(shares | {cell: s - step})) / (2 * step)
        for cell, s in shares.items()
    }
    mean = sum(shares[cell] * slopes[cell] for cell in shares)
    error = math.sqrt((sum(shares[c] * slopes[c] ** 2 for c in shares) - mean**2) / n)
    kappa = cohens_kappa(spread(table))
    assert kappa.value == pytest.approx(plain_kappa(shares))
    assert kappa.high == pytest.approx(kappa.value + Z95 * error, rel=1e-4)


@given(tables)
def test_kappa_keeps_its_bounds(verdicts: list[tuple[str, str]]) -> None:
    kappa = cohens_kappa(verdicts)
    assert kappa.n == len(verdicts) and 0 <= kappa.agreed <= kappa.n
    if kappa.value is None:
        assert len(set(verdicts)) == 1 and kappa.low is None and kappa.note
        return
    assert -1 <= kappa.value <= kappa.agreed / kappa.n
    if kappa.low is not None and kappa.high is not None:
        assert -1 <= kappa.low <= kappa.value <= kappa.high <= 1 and kappa.low < kappa.high
    else:
        assert kappa.note


@given(tables)
def test_neither_rater_is_the_measure_of_the_other(verdicts: list[tuple[str, str]]) -> None:
    one, other = cohens_kappa(verdicts), cohens_kappa([(b, a) for a, b in verdicts])
    assert (one.value is None) == (other.value is None)
    assert one.value is None or one.value == pytest.approx(other.value)


def test_one_verdict_throughout_gives_no_kappa_and_says_why() -> None:
    kappa = cohens_kappa([("approve", "approve")] * 40)
    assert (kappa.value, kappa.low, kappa.agreed) == (None, None, 40)
    assert "both always said 'approve'" in str(kappa)


def test_perfect_agreement_is_1_without_a_pretended_interval() -> None:
    kappa = cohens_kappa([("approve", "approve")] * 30 + [("reject", "reject")] * 5)
    assert (kappa.value, kappa.low, kappa.note) == (1.0, None, "too one-sided for an interval")


def test_few_pairs_give_a_rough_interval_and_it_is_called_that() -> None:
    kappa = cohens_kappa([("approve", "approve"), ("reject", "reject"), ("approve", "reject")])
    assert kappa.low is not None and kappa.note == "a rough interval"
