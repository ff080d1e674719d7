"""Where a review stands: pairs by state, who judged how many, how far reviewers agree, what they dispute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from smallhours.corpus.review.agreement import agreements
from smallhours.corpus.review.ledger import Ledger
from smallhours.corpus.review.standing import Reviews
from smallhours.domain.records import Example, ReviewState
from smallhours.domain.reviewing import Dispute, Judged, Status
from smallhours.domain.sign_offs import Reviewer


def count_states(pairs: Sequence[Example], reviews: Reviews) -> dict[ReviewState, int]:
    """How many pairs are in each state, states without any included."""
    counts = Counter(reviews.state(example) for example in pairs)
    return {state: counts[state] for state in ReviewState}


def review_status(pairs: Sequence[Example], ledger: Ledger, reader: Reviewer | None = None) -> Status:
    """Where the review of ``pairs`` stands.

    With a ``reader``, disputes that this reviewer has not judged are counted and not shown, so that the
    reviewer's own verdict stays independent.
    """
    reviews = Reviews(ledger.sign_offs)
    people: dict[str, Reviewer] = {}
    for sign_off in ledger.sign_offs:
        people.setdefault(sign_off.reviewer.key, sign_off.reviewer)
    judged = Counter(key for example in pairs for key in reviews.latest(example))
    disputes = [
        Dispute(pair=example.id, sign_offs=tuple(reviews.latest(example).values()))
        for example in pairs
        if reviews.state(example) is ReviewState.DISPUTED
        and (reader is None or reviews.own(example, reader) is not None)
    ]
    return Status(
        pairs=len(pairs),
        states=count_states(pairs, reviews),
        changed=sum(reviews.changed(example) for example in pairs),
        reviewers=tuple(Judged(reviewer=who, pairs=judged[key]) for key, who in people.items()),
        agreements=tuple(agreements(ledger.sign_offs)),
        disputes=tuple(disputes),
        notes=ledger.notes,
    )
