"""Which pairs a dataset is built from, given the sign-offs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from smallhours.corpus.review.ledger import Ledger, read_ledger, sign_offs_path
from smallhours.corpus.review.standing import Reviews
from smallhours.domain.errors import DataError
from smallhours.domain.records import Example, ReviewState
from smallhours.domain.settings import Settings


@dataclass(frozen=True)
class Selection:
    """The pairs to build from, each marked with its state, and the figures for the manifest."""

    pairs: list[Example]
    figures: dict[str, Any]


def ledger_of(settings: Settings) -> Ledger:
    """The sign-offs that ``settings`` name, or those beside the data if there are any.

    Raises:
        DataError: the file named is missing, or a file is damaged.
    """
    chosen = settings.corpus.sign_offs
    return read_ledger(sign_offs_path(settings.data, chosen), must_exist=chosen is not None)


def select(
    pairs: Sequence[Example], ledger: Ledger, *, reviewed_only: bool, fewest: int, source: str
) -> Selection:
    """Mark the pairs and leave out the rejected; with ``reviewed_only`` keep the approved alone.

    A file may reject its own pairs. It cannot approve them: only sign-offs on their present words do.

    Raises:
        DataError: under ``reviewed_only``, fewer than ``fewest`` are approved.
    """
    reviews = Reviews(ledger.sign_offs)
    marked = [example.model_copy(update={"review": _state(example, reviews)}) for example in pairs]
    counts = Counter(example.review for example in marked)
    states = {state.value: counts[state] for state in ReviewState}
    if reviewed_only and counts[ReviewState.APPROVED] < fewest:
        told = ", ".join(f"{count} {state}" for state, count in states.items() if state != "approved")
        raise DataError(
            f"{source}: {counts[ReviewState.APPROVED]} of {len(marked)} pairs are approved by a sign-off "
            f"({told}); corpus.reviewed_only needs at least {fewest}. Sign more with 'smallhours corpus "
            "review', name the file with --sign-offs, or build without --reviewed-only"
        )
    kept = [
        example
        for example in marked
        if example.review is ReviewState.APPROVED
        or (not reviewed_only and example.review is not ReviewState.REJECTED)
    ]
    left_out = len(marked) - len(kept)
    return Selection(kept, {"states": states, "left_out": left_out, "notes": list(ledger.notes)})


def _state(example: Example, reviews: Reviews) -> ReviewState:
    own_word = example.review is ReviewState.REJECTED
    return ReviewState.REJECTED if own_word else reviews.state(example)
