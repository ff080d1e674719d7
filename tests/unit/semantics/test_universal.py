"""The quicker forward pass gives what the package's own gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smallhours.semantics import convolutions, universal
from smallhours.semantics.universal import UniversalEncoder

TEXTS = [
    "i cannot sleep. it is three and i cannot sleep",
    "i cannot sleep",
    "ich kann nicht schlafen, schon wieder nicht",
    "眠れない。今夜も眠れない。",
    "не могу уснуть",
    "a",
    "caf\u00e9 \u00b4s  \u00a0 two  spaces ",
    "word" * 200,
    "much more than is computed together at a time " * 80,
]


@pytest.fixture(scope="module")
def encoder() -> UniversalEncoder:
    return UniversalEncoder()


def says_nothing(encoder: UniversalEncoder, text: str) -> bool:
    """Of such a text nothing is encoded (``SentenceVectors``); here a token of its own stands for it."""
    return len(encoder.tokens.whole(text)) == 2


def of_the_package(encoder: UniversalEncoder, texts: list[str]) -> np.ndarray:
    found = np.array([encoder._package.encode([text])[0] for text in texts])
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_vectors_are_those_of_the_package(encoder: UniversalEncoder) -> None:
    assert encoder.encode(TEXTS) == pytest.approx(of_the_package(encoder, TEXTS), abs=2e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=6))
def test_so_are_those_of_any_text_in_any_company(encoder: UniversalEncoder, texts: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    texts = [text for text in texts if not says_nothing(encoder, text)]
    assume(texts)
    assert encoder.encode(texts) == pytest.approx(of_the_package(encoder, texts), abs=2e-6)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab c.\u00b4\u3000\u0301\u200b\t2\u2581\u30ab\uff9e'"), max_size=30))
def test_tokens_by_word_are_those_of_the_whole(encoder: UniversalEncoder, text: str) -> None:
    found = encoder.tokens(text)
    assert found == ([1, 0, 2] if says_nothing(encoder, text) else encoder.tokens.whole(text))


def test_half_a_character_is_read_around(encoder: UniversalEncoder) -> None:
    assert encoder.tokens("so \ud83d sad") == encoder.tokens("so ? sad")


def test_what_is_kept_makes_room_and_stays_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolutions, "_KEPT", 32)
    monkeypatch.setattr(universal, "TOGETHER", 24)
    small = UniversalEncoder()
    texts = [
        f"{word} is a word of {number}"
        for number, word in enumerate(["sun", "moon", "star", "rain", "snow"] * 9)
    ]
    assert small.encode(texts) == pytest.approx(of_the_package(small, texts), abs=2e-6)
