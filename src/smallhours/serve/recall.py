"""The vetted pairs nearest to what somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from smallhours.domain.records import Example
from smallhours.semantics.pairs import pair_vectors
from smallhours.semantics.vectors import KNOWN_LANGUAGES, Encoder, Vectors
from smallhours.serve.wording import Wording


@dataclass(frozen=True)
class Recalled:
    """A vetted pair and how near it is: the mean of two cosines, to its question and to its answer.

    Questions alone mislead: two long messages can share a mother and a night and nothing else. ``answer`` is
    the answer's sentence vector.
    """

    pair: Example
    similarity: float
    answer: Vectors = field(repr=False, compare=False)


class Recall:
    """Searches vetted pairs by meaning. ``vectors`` are unit rows, shape (2, pairs, dimensions): of the
    questions and of the answers.
    """

    def __init__(self, pairs: Sequence[Example], encoder: Encoder, vectors: NDArray[np.float32]) -> None:
        if vectors.shape[:2] != (2, len(pairs)):
            raise ValueError(f"{len(pairs)} pairs but vectors of shape {vectors.shape}")
        self._pairs = tuple(pairs)
        # The mean of two products is the product with the mean of the two: half the work.
        self._between, self._answers = vectors.mean(axis=0), vectors[1]
        self._languages = np.array([pair.language for pair in pairs])
        self.encoder = encoder
        self.wording = Wording(self._pairs)

    @classmethod
    def of(cls, pairs: Sequence[Example], encoder: Encoder) -> Recall:
        """Encode the pairs now."""
        return cls(pairs, encoder, pair_vectors(pairs, encoder))

    def speaks(self, language: str) -> bool:
        """Whether there are pairs in a language, and the encoder can tell them apart."""
        return language in KNOWN_LANGUAGES and bool((self._languages == language).any())

    def nearest(self, text: str, k: int = 3, language: str = "en") -> list[Recalled]:
        """The ``k`` nearest pairs in ``language``, nearest first.

        Where there are none in it, the nearest of all; an empty list where nothing is vetted.
        """
        if not self._pairs:
            return []
        among = np.flatnonzero(self._languages == language) if self.speaks(language) else slice(None)
        # einsum stays in this thread; BLAS would wake others, which spin where the model wants the cores.
        similarities = np.einsum("pd,d->p", self._between, self.encoder.encode([text])[0])
        candidates = np.arange(len(self._pairs))[among]
        order = candidates[np.argsort(-similarities[among], kind="stable")[:k]]
        return [Recalled(self._pairs[i], float(similarities[i]), self._answers[i]) for i in order]
