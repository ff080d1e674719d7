"""What every other part shares: the safety path and the sentence encoder."""

from __future__ import annotations

from functools import cache

from smallhours.safety.pipeline import SafetyPipeline
from smallhours.semantics.vectors import Remembered, SentenceVectors, remembered_vectors, shared_vectors


@cache
def safety_pipeline() -> SafetyPipeline:
    """The safety path, one per process."""
    return SafetyPipeline()


def sentence_vectors() -> SentenceVectors:
    """The sentence encoder, one per process; the safety path uses the same."""
    return shared_vectors()


def vetted_vectors() -> Remembered:
    """The same, remembering what it has read: for the stages, which read the same pairs one after another."""
    return remembered_vectors()
