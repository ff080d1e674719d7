"""What every other part shares: the safety path and the sentence encoder."""

from __future__ import annotations

from functools import cache

from smallhours.safety.pipeline import SafetyPipeline
from smallhours.semantics.vectors import SentenceVectors, shared_vectors


@cache
def safety_pipeline() -> SafetyPipeline:
    """The safety path, one per process."""
    return SafetyPipeline()


def sentence_vectors() -> SentenceVectors:
    """The sentence encoder, one per process; the safety path uses the same."""
    return shared_vectors()
