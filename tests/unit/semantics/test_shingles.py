"""Texts alike in letters are found, and told how alike they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhours.semantics.shingles import HASHES, RUN, alike, likeness, signature

ANSWER = "A short walk in daylight can settle a restless body, so try one before breakfast tomorrow."


def shingles(text: str) -> set[bytes]:
    data = text.encode().ljust(RUN)
    return {data[i : i + RUN] for i in range(len(data) - RUN + 1)}


def pairs(texts: list[str], threshold: float) -> list[tuple[int, int]]:
    signatures = np.stack([signature(text) for text in texts])
    return sorted({(one, other) for one, other, _ in alike(signatures, threshold)})


def test_the_same_text_has_the_same_signature_and_any_length_will_do() -> None:
    assert likeness(signature(ANSWER), signature(ANSWER)) == 1
    assert signature("").shape == signature("a" * 10_000).shape == (HASHES,)


@pytest.mark.parametrize(
    "other",
    [
        ANSWER + " Ask a friend along.",
        ANSWER.replace("tomorrow", "on Monday"),
        "Write it down.",
        ANSWER.lower(),
    ],
)
def test_the_estimate_is_near_the_true_share_of_shingles(other: str) -> None:
    one, two = shingles(ANSWER), shingles(other)
    truth = len(one & two) / len(one | two)
    assert likeness(signature(ANSWER), signature(other)) == pytest.approx(truth, abs=0.2)


def test_near_copies_are_paired_with_the_first_and_strangers_are_not() -> None:
    texts = ["something else entirely, about money", ANSWER, "Call your union.", ANSWER[:-1], ANSWER + "!"]
    assert pairs(texts, 0.8) == [(1, 3), (1, 4)]


def test_nothing_is_alike_among_none_or_one() -> None:
    assert list(alike(np.zeros((0, HASHES), dtype=np.uint32), 0.5)) == []
    assert pairs([ANSWER], 0.5) == []


@given(st.lists(st.sampled_from([ANSWER, ANSWER.upper(), "rest now", "write it all down"]), max_size=12))
@settings(max_examples=60, deadline=None, database=None)
def test_every_copy_is_linked_to_the_first_of_its_kind(texts: list[str]) -> None:
    found = pairs(texts, 0.99) if texts else []
    assert found == sorted((texts.index(t), at) for at, t in enumerate(texts) if texts.index(t) < at)
