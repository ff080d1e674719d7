"""Words: repairs that end in words the lexicons know, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.safety.automaton import BOUNDARY
from smallhours.safety.words import words_of


def plain(text: str) -> str:
    return " ".join(w for w in words_of(text).words if w != BOUNDARY)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("I don't wanna", "i do not want to"),
        ("im gonna", "i am going to"),
        ("k1ll mys3lf", "kill myself"),
        ("su1c1de", "suicide"),
        ("$uicide", "suicide"),
        ("k!ll", "kill"),
        ("s*icide", "suicide"),
        ("k**l", "kill"),
        ("diiiie", "die"),
        ("kiiilllll", "kill"),
        ("myselff", "myself"),
        ("k i l l   m y s e l f", "kill myself"),
        ("k.i.l.l m.y.s.e.l.f", "kill myself"),
        ("k-i-l-l", "kill"),
        ("#iwanttodie", "i want to die"),
        ("kill my self", "kill myself"),
        ("sucidal", "suicidal"),
        ("kіll", "kill"),
        ("unalive", "kill"),
        ("kms", "kill myself"),
    ],
)
def test_what_people_do_to_words_is_undone(written: str, read: str) -> None:
    assert plain(written) == read


@pytest.mark.parametrize(
    "written",
    ["covid19", "mp3", "24h", "q4", "together", "changing", "b2b", "good", "2020", "hello"],
)
def test_ordinary_words_and_numbers_stay(written: str) -> None:
    assert plain(written) == written


def test_sentence_ends_are_words_and_commas_are_not() -> None:
    words = words_of("one, two. three").words
    assert words == (BOUNDARY, "one", "two", BOUNDARY, "three", BOUNDARY)


def test_spans_are_in_the_original_text() -> None:
    text = "so: K\u200b1LL it"
    words = words_of(text)
    start, end = words.spans[words.words.index("kill")]
    assert text[start:end] == "K\u200b1LL"


def test_quotation_marks_are_remembered() -> None:
    text = "the song “i want to die” is old"
    inside = text.index("want")
    assert words_of(text).in_quotes(inside, inside + 4)
    assert not words_of(text).in_quotes(0, 3)


@given(st.text())
def test_any_text_has_words_with_valid_spans(text: str) -> None:
    words = words_of(text)
    assert len(words.words) == len(words.spans)
    assert all(0 <= start <= end <= len(text) for start, end in words.spans)
