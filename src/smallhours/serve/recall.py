"""The vetted pairs nearest to what somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smallhours.domain.records import Example
from smallhours.semantics.vectors import Encoder


@dataclass(frozen=True)
class Recalled:
    """A vetted pair and how near its question is (cosine, -1 to 1)."""

    pair: Example
    similarity: float


class Recall:
    """Searches vetted questions by meaning. ``vectors`` has one unit row per pair."""

    def __init__(self, pairs: Sequence[Example], encoder: Encoder, vectors: NDArray[np.float32]) -> None:
        if len(pairs) != len(vectors):
            raise ValueError(f"{len(pairs)} pairs but {len(vectors)} vectors")
        self._pairs = tuple(pairs)
        self._vectors = vectors
        self.encoder = encoder

    @classmethod
    def of(cls, pairs: Sequence[Example], encoder: Encoder) -> Recall:
        """Encode the questions now."""
        return cls(pairs, encoder, encoder.encode([pair.question for pair in pairs]))

    def nearest(self, text: str, k: int = 3) -> list[Recalled]:
        """The ``k`` nearest pairs, nearest first; an empty list where nothing is vetted."""
        if not self._pairs:
            return []
        similarities = self._vectors @ self.encoder.encode([text])[0]
        order = np.argsort(-similarities)[:k]
        return [Recalled(self._pairs[i], float(similarities[i])) for i in order]
