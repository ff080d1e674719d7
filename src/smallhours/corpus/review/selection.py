"""Which pairs a dataset is built from, given the sign-offs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from smallhours.corpus.review.ledger import Ledger, read_ledger, sign_offs_path
from smallhours.corpus.review.standing import Reviews
from smallhours.domain.records import Example, ReviewState
from smallhours.domain.settings import Settings


def ledger_of(settings: Settings) -> Ledger:
    """The sign-offs that ``settings`` name, or those beside the data if there are any.

    Raises:
        DataError: the file named is missing, or a file is damaged.
    """
    chosen = settings.corpus.sign_offs
    return read_ledger(sign_offs_path(settings.data, chosen), must_exist=chosen is not None)


class Selection:
    """One pass over pairs: each is marked with its state; the rejected ones, and under ``reviewed_only`` all
    but the approved, are left out.

    A file may reject its own pairs. It cannot approve them: only sign-offs on their present words do.
    """

    def __init__(self, ledger: Ledger, *, reviewed_only: bool) -> None:
        self._reviews = Reviews(ledger.sign_offs)
        self._notes = list(ledger.notes)
        self._reviewed_only = reviewed_only
        self._counts: Counter[ReviewState] = Counter()
        self._left_out = 0

    def mark(self, example: Example) -> Example | None:
        """The pair with its state; ``None`` if it is left out."""
        own_word = example.review is ReviewState.REJECTED
        state = ReviewState.REJECTED if own_word else self._reviews.state(example)
        self._counts[state] += 1
        wanted = state is ReviewState.APPROVED if self._reviewed_only else state is not ReviewState.REJECTED
        if not wanted:
            self._left_out += 1
            return None
        return example.model_copy(update={"review": state})

    @property
    def seen(self) -> int:
        """How many pairs were marked, those left out included."""
        return self._counts.total()

    @property
    def figures(self) -> dict[str, Any]:
        """Counts by state, for the manifest."""
        states = {state.value: self._counts[state] for state in ReviewState}
        return {"states": states, "left_out": self._left_out, "notes": self._notes}

    def too_few(self, source: str, found: int, fewest: int) -> str:
        """What to say when ``found`` pairs are left and ``fewest`` are needed."""
        if self._reviewed_only:
            states = {state: count for state, count in self._counts.items() if count}
            told = ", ".join(f"{count} {state}" for state, count in states.items() if state != "approved")
            return (
                f"{source}: {self._counts[ReviewState.APPROVED]} of {self.seen} pairs are approved by a "
                f"sign-off ({told}); corpus.reviewed_only needs at least {fewest}. Sign more with "
                "'smallhours corpus review', name the file with --sign-offs, or build without --reviewed-only"
            )
        aside = f" ({self._left_out} rejected ones left out)" * bool(self._left_out)
        return (
            f"{source}: has {found} pairs{aside}; at least {fewest} are needed, one each to train on, to "
            "stop by and to measure with"
        )
