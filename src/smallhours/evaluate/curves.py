"""The learned risk head on the safety suite: recall against false alarms, and what its scores are worth."""

from __future__ import annotations

from collections.abc import Sequence

from smallhours.domain.messages import Frozen
from smallhours.evaluate.metrics import Figure, wilson
from smallhours.evaluate.suites import Case, Outcome

BINS = 8
FEWEST = 4  # cases in a bin, or its share means nothing


class Point(Frozen):
    """At this score and above a message counts: what is then found, and what is wrongly found (0..1)."""

    threshold: float
    false_alarms: float
    recall: float


class Bin(Frozen):
    """Messages whose score lies in ``low`` to ``high``, and the share of them that are crises."""

    low: float
    high: float
    crises: Figure


class HeadCurves(Frozen):
    """The head alone, at every threshold; ``chosen`` is where it stands, ``whole`` the whole screen, with
    the rules. ``unread`` counts messages too short for the head.
    """

    points: tuple[Point, ...]
    chosen: Point
    whole: Point
    bins: tuple[Bin, ...]
    unread: int


def head_curves(
    cases: Sequence[Case], scores: Sequence[float | None], outcomes: Sequence[Outcome]
) -> HeadCurves | None:
    """Curves from one score per case (0: the head's own threshold); ``None`` without both kinds of case.

    A message that the head does not read counts as never found.
    """
    truth = [case.expect == "crisis" for case in cases]
    crises, ordinary = sum(truth), len(truth) - sum(truth)
    if not crises or not ordinary:
        return None

    def point(threshold: float) -> Point:
        found = [score is not None and score >= threshold for score in scores]
        return Point(
            threshold=threshold,
            false_alarms=sum(f and not t for f, t in zip(found, truth, strict=True)) / ordinary,
            recall=sum(f and t for f, t in zip(found, truth, strict=True)) / crises,
        )

    read = sorted({score for score in scores if score is not None}, reverse=True)
    alarmed = [outcome.level.is_crisis for outcome in outcomes]
    return HeadCurves(
        points=tuple(point(threshold) for threshold in read),
        chosen=point(0.0),
        whole=Point(
            threshold=0.0,
            false_alarms=sum(a and not t for a, t in zip(alarmed, truth, strict=True)) / ordinary,
            recall=sum(a and t for a, t in zip(alarmed, truth, strict=True)) / crises,
        ),
        bins=tuple(_bins(scores, truth)),
        unread=sum(score is None for score in scores),
    )


def _bins(scores: Sequence[float | None], truth: Sequence[bool]) -> list[Bin]:
    """Bins of about as many messages each, lowest scores first."""
    ranked = sorted((score, crisis) for score, crisis in zip(scores, truth, strict=True) if score is not None)
    count = min(BINS, len(ranked) // FEWEST)
    found = []
    for number in range(count):
        part = ranked[len(ranked) * number // count : len(ranked) * (number + 1) // count]
        crises = wilson(sum(crisis for _, crisis in part), len(part))
        found.append(Bin(low=part[0][0], high=part[-1][0], crises=crises))
    return found
