"""Hindi as it is typed on phones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.safety.pieces import grams, plain
from smallhours.safety.romanize import romanized


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("मैं अब और जीना नहीं चाहता", "main ab aur jina nahi chahta"),
        ("ज़िंदगी से थक गया हूँ", "zindagi se thak gaya hu"),
        ("समझ", "samajh"),
        ("लड़का पढ़ाई", "larka parhai"),
        ("संभालो अंकुर", "sambhalo ankur"),
        ("ख़ुदकुशी हिम्मत", "khudkushi himmat"),
        ("३ दिन", "3 din"),
        ("NEET में 480 😭 ok", "NEET men 480 😭 ok"),
        ("", ""),
    ],
)
def test_words_are_spelt_as_people_type_them(written: str, typed: str) -> None:
    assert romanized(written) == typed


@given(st.text(st.characters(min_codepoint=0x0900, max_codepoint=0x097F)))
def test_any_run_of_signs_has_a_spelling_without_them(text: str) -> None:
    assert not any(0x0900 <= ord(ch) <= 0x0963 or ord(ch) >= 0x0966 for ch in romanized(text))


@given(st.text())
def test_other_scripts_stay(text: str) -> None:
    kept = "".join(ch for ch in text if not 0x0900 <= ord(ch) <= 0x097F)
    assert romanized(kept) == kept


def test_both_spellings_share_their_letters() -> None:
    assert grams(plain("मरना चाहता"), 4096) == grams(plain("marna chahta"), 4096)
