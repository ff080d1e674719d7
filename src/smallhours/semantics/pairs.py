"""Vetted pairs as vectors: what export stores and serving searches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smallhours.domain.records import Example
from smallhours.semantics.vectors import Encoder, Vectors


def pair_vectors(pairs: Sequence[Example], encoder: Encoder) -> Vectors:
    """Shape (2, pairs, dimensions): the questions, then the answers; rows of length 1."""
    questions = encoder.encode([pair.question for pair in pairs])
    answers = encoder.encode([pair.answer for pair in pairs])
    return np.stack([questions, answers])
