"""Which verdicts of two reviewers are held against each other."""

from __future__ import annotations

from smallhours.corpus.review.agreement import agreements
from tests.unit.corpus.review_kit import ANA, BO, pair, said


def test_only_what_both_judged_counts_and_only_their_first_verdict() -> None:
    first, second, third = pair(1), pair(2), pair(3)
    found = agreements(
        [
            said(first, ANA, "approve"),
            said(first, BO, "reject"),
            said(second, ANA, "reject"),
            said(second, BO, "reject"),
            said(third, ANA, "approve"),
            said(first, BO, "approve"),  # a change of mind, after seeing the other's
        ]
    )
    assert [(a.one.name, a.other.name, a.kappa.n, a.kappa.agreed) for a in found] == [
        ("Ana Osei", "Bo Li", 2, 1)
    ]
    assert agreements([said(first, ANA, "approve"), said(second, BO, "approve")]) == []
