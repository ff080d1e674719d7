"""A corrected copy of the pairs: what reviewers proposed, in place of what they would not sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smallhours.corpus.review.ledger import Ledger
from smallhours.corpus.review.standing import Reviews
from smallhours.domain.artifacts import write_aside
from smallhours.domain.errors import InputError
from smallhours.domain.records import Example, ReviewState


@dataclass(frozen=True)
class Corrected:
    """The pairs after the edits, and the ids of those edited and of those left alone in dispute."""

    pairs: list[Example]
    edited: list[str]
    disputed: list[str]


def corrected(pairs: Sequence[Example], ledger: Ledger) -> Corrected:
    """Put undisputed edits in place. The new words are unreviewed: nobody has signed them yet.

    Rejected pairs stay; it is the build that leaves them out.
    """
    reviews = Reviews(ledger.sign_offs)
    result = Corrected([], [], [])
    for example in pairs:
        state = reviews.state(example)
        if state is ReviewState.DISPUTED:
            result.disputed.append(example.id)
        if state is ReviewState.EDITED:
            messages = next(iter(reviews.latest(example).values())).messages
            example = example.model_copy(update={"messages": messages, "review": ReviewState.UNREVIEWED})
            result.edited.append(example.id)
        result.pairs.append(example)
    return result


def write_corrected(path: Path, pairs: Sequence[Example]) -> None:
    """Write JSON Lines to a new file.

    Raises:
        InputError: the file is there already, or its name says another format.
    """
    if path.suffix.lower() != ".jsonl":
        raise InputError(f"--apply {path}: the copy is JSON Lines; choose a name that ends in .jsonl")
    if path.exists():
        raise InputError(f"--apply {path}: is there already; choose a new name")
    write_aside(path, "".join(f"{example.model_dump_json()}\n" for example in pairs).encode())
