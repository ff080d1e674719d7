"""Texts as points: near in meaning is near in direction."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 512
MOST_REMEMBERED = 50_000
# What the encoder was trained on (Yang et al. 2019, arXiv:1907.04307, table 1); Hindi and Indonesian are not.
KNOWN_LANGUAGES = frozenset(
    ["ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"]
)

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Whatever turns ``n`` texts into ``(n, d)`` float32 vectors of length 1."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row per text, in order."""
        ...


class SentenceVectors:
    """Google's multilingual Universal Sentence Encoder v3: 16 languages, 1 ms for a short message.

    Many texts in one call cost less than the same in many calls. The model is loaded by the first text, not
    by the constructor. Safe to call from several threads, one at a time.
    """

    def __init__(self) -> None:
        self._model: Any = None
        # Also held while encoding: the process's BLAS threads are set for the time of a call, and two
        # overlapping calls would restore them in the wrong order.
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """``(n, 512)`` float32, rows of length 1, so that a dot product is the cosine.

        A blank text has no meaning to compare: its row is zero, similar to nothing.
        """
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        spoken = [position for position, text in enumerate(texts) if text.strip()]
        if spoken:
            with self._lock:
                raw = self._load().encode([texts[position] for position in spoken])
            rows = np.asarray(raw, dtype=np.float32)
            found[spoken] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return found

    def _load(self) -> Any:
        if self._model is None:
            self._model = importlib.import_module("smallhours.semantics.universal").UniversalEncoder()
        return self._model


@cache
def shared_vectors() -> SentenceVectors:
    """One encoder per process: recall and the risk head share its memory."""
    return SentenceVectors()


class Remembered:
    """An encoder that computes each text once; it keeps 2 kB per text for as long as it lives.

    Of more than ``MOST_REMEMBERED`` texts the first are kept; a million would be too many.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As the encoder underneath does."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        found = dict(zip(new, self._encoder.encode(new), strict=True)) if new else {}
        kept = new[: max(0, MOST_REMEMBERED - len(self._known))]
        self._known.update((text, found[text]) for text in kept)
        if not texts:
            return self._encoder.encode(texts)
        return np.stack([found[text] if text in found else self._known[text] for text in texts])


@cache
def remembered_vectors() -> Remembered:
    """The same encoder for whoever looks at the same texts again: the stages of a run.

    Not for what people write: that is not to be kept.
    """
    return Remembered(shared_vectors())
