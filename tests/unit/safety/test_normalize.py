"""Folding: one plain spelling for each character, and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.safety.normalize import fold


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Kill", "kill"),
        ("ｋｉｌｌ", "kill"),
        ("𝐤𝐢𝐥𝐥", "kill"),
        ("🅺🅸🅻🅻", "kill"),
        ("ᴋɪʟʟ", "kill"),
        ("k\u200bi\u200dl\u2060l", "kill"),
        ("\u202ekill\u202c", "kill"),
        ("kïĺl", "kill"),
        ("k\u0336i\u0336l\u0336l", "kill"),
        ("don’t", "don't"),
        ("“so”", '"so"'),
        ("İSTİYORUM", "istiyorum"),
        ("Straße", "strasse"),
        ("自殺", "自杀"),
        ("أريد", "اريد"),
        ("ёлка й", "елка и"),
    ],
)
def test_one_spelling_for_each_character(written: str, plain: str) -> None:
    assert fold(written).text == plain


def test_letters_of_other_scripts_stay_what_they_are() -> None:
    assert fold("привет в мире").text == "привет в мире"
    assert fold("हिन्दी").text == "हिन्दी"


def test_a_span_leads_back_to_the_original() -> None:
    original = "ok: k\u200bïll me"
    folded = fold(original)
    at = folded.text.index("kill")
    start, end = folded.span(at, at + 4)
    assert original[start:end] == "k\u200bïll"


@given(st.text())
def test_any_text_folds_and_every_character_knows_its_origin(text: str) -> None:
    folded = fold(text)
    assert len(folded.origin) == len(folded.text)
    assert all(0 <= i < len(text) for i in folded.origin)
    assert list(folded.origin) == sorted(folded.origin)
