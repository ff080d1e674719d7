"""The vetted pairs nearest to what somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smallhours.domain.records import Example
from smallhours.semantics.pairs import pair_vectors
from smallhours.semantics.vectors import Encoder


@dataclass(frozen=True)
class Recalled:
    """A vetted pair and how near it is: the mean of two cosines, to its question and to its answer.

    Questions alone mislead: two long messages can share a mother and a night and nothing else.
    """

    pair: Example
    similarity: float


class Recall:
    """Searches vetted pairs by meaning. ``vectors`` are unit rows, shape (2, pairs, dimensions): of the
    questions and of the answers.
    """

    def __init__(self, pairs: Sequence[Example], encoder: Encoder, vectors: NDArray[np.float32]) -> None:
        if vectors.shape[:2] != (2, len(pairs)):
            raise ValueError(f"{len(pairs)} pairs but vectors of shape {vectors.shape}")
        self._pairs = tuple(pairs)
        self._vectors = vectors
        self.encoder = encoder

    @classmethod
    def of(cls, pairs: Sequence[Example], encoder: Encoder) -> Recall:
        """Encode the pairs now."""
        return cls(pairs, encoder, pair_vectors(pairs, encoder))

    def nearest(self, text: str, k: int = 3) -> list[Recalled]:
        """The ``k`` nearest pairs, nearest first; an empty list where nothing is vetted."""
        if not self._pairs:
            return []
        similarities = (self._vectors @ self.encoder.encode([text])[0]).mean(axis=0)
        order = np.argsort(-similarities)[:k]
        return [Recalled(self._pairs[i], float(similarities[i])) for i in order]
