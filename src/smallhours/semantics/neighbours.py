"""What is near what, by cosine; vectors are taken to have length 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smallhours.semantics.vectors import Vectors

BLOCK = 1024  # rows compared at a time: 1,024 against 100,000 take 400 MB
ROUNDING = 1e-6  # the dot product of a vector with itself may fall this short of 1


class Neighbour(NamedTuple):
    """A row of the index and its cosine with the query."""

    position: int
    similarity: float


def nearest(query: Vectors, index: Vectors, k: int) -> list[Neighbour]:
    """The ``k`` rows of ``index`` nearest to the one vector ``query``, nearest first.

    Fewer where the index is smaller; of equals, the earlier row first.
    """
    if len(index) == 0 or k < 1:
        return []
    similarities = index @ query
    order = np.argsort(-similarities, kind="stable")[:k]
    return [Neighbour(int(position), float(similarities[position])) for position in order]


def best_matches(queries: Vectors, index: Vectors) -> list[Neighbour]:
    """The nearest row of ``index`` for every row of ``queries``; the index must not be empty."""
    found: list[Neighbour] = []
    for _, similarities in _blocks(queries, index):
        best = similarities.argmax(axis=1)
        found.extend(Neighbour(int(p), float(row[p])) for p, row in zip(best, similarities, strict=True))
    return found


def links(vectors: Vectors, threshold: float) -> Iterator[tuple[int, int]]:
    """Every pair (earlier row, later row) whose cosine is at least ``threshold``."""
    for start, similarities in _blocks(vectors, vectors):
        later = np.arange(len(vectors)) > np.arange(start, start + len(similarities))[:, None]
        for row, column in np.argwhere(later & (similarities >= threshold - ROUNDING)):
            yield int(start + row), int(column)


def _blocks(queries: Vectors, index: Vectors) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for start in range(0, len(queries), BLOCK):
        yield start, queries[start : start + BLOCK] @ index.T
