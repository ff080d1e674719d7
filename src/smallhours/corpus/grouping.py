"""Rows that say the same are one row; rows with similar answers are one group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smallhours.corpus.notes import Notes
from smallhours.semantics.neighbours import links
from smallhours.semantics.shingles import alike
from smallhours.semantics.union import Union
from smallhours.semantics.vectors import Encoder

# Answers that share this much of their letters share a group, however many there are (Jaccard, 5-byte runs).
SAME_LETTERS = 0.6


@dataclass(frozen=True)
class Duplicate:
    """A row that says what an earlier one says; ``likeness`` 1 is the same wording."""

    row: int
    of: int
    likeness: float


def duplicates(notes: Notes, near: float) -> list[Duplicate]:
    """Rows whose question and answer repeat an earlier row's, word for word or nearly (``near``: 0 to 1)."""
    found = {row: Duplicate(row, first, 1.0) for row, first in notes.repeats}
    if near < 1:
        for earlier, later, likeness in alike(notes.row_signatures, near):
            if earlier not in found:
                found.setdefault(later, Duplicate(later, earlier, likeness))
    return [found[row] for row in sorted(found)]


def group_numbers(notes: Notes, encoder: Encoder, threshold: float) -> NDArray[np.int64]:
    """A group for each row, counted from 0 in the order of first appearance.

    Rows share a group when their answers are alike (in meaning: cosine at least ``threshold``, if there are
    few enough to compare; in letters: always), when they ask the very same thing, when they came with the
    same group, or through a chain of these.
    """
    rows, answers = len(notes), np.array(notes.answers, dtype=np.int64)
    union = Union(rows)
    first = np.full(int(answers.max(initial=-1)) + 1, -1, dtype=np.int64)
    first[answers[::-1]] = np.arange(rows)[::-1]
    _link_equals(union, answers)
    _link_equals(union, np.array(notes.asked, dtype=np.uint64))
    _link_equals(union, np.array(notes.given, dtype=np.uint64), but=0)
    for one, other, _ in alike(notes.answer_signatures, SAME_LETTERS):
        union.link(int(first[one]), int(first[other]))
    if notes.answer_texts is not None:
        for one, other in links(encoder.encode(notes.answer_texts), threshold):
            union.link(int(first[one]), int(first[other]))
    return union.numbers()


def _link_equals(union: Union, keys: NDArray[np.int64] | NDArray[np.uint64], but: int | None = None) -> None:
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
    for at in same:
        if but is None or keys[order[at]] != but:
            union.link(int(order[at]), int(order[at + 1]))
