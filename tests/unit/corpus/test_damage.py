"""Damage is undone and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.corpus.damage import fix_all, fix_encoding, fix_html, fix_spaces, has_html

ENCODING = [
    ("Je nâ€™arrive pas Ã  dormir", "Je n’arrive pas à dormir"),
    ("cafÃ© naÃ¯ve", "café naïve"),
    ("twice: ÃƒÂ©", "twice: é"),
    ("one line is fine\nthe other isnâ€™t", "one line is fine\nthe other isn’t"),
]
# What ftfy would change if it were let, and what looks odd and is right.
SOUND = [
    "“curly” ‘quotes’ – dash…",
    "ﬁne",
    "１２",
    "é as two: é",
    "São Paulo, Ã",
    "déjà vu, Größe, año",
    "अच्छा",
    "ok \x1b[31m",
]

HTML = [
    ("I don&#39;t &amp; can&rsquo;t", "I don't & can’t"),
    ("one<br>two<br/>three", "one\ntwo\nthree"),
    ('<p class="x">Hi <b>you</b></p>', "\nHi you\n"),
    ("a<!-- note -->b<script>x < 1</script>c", "abc"),
    ("&amp;lt;br&amp;gt;", "\n"),
]
NO_HTML = ["<3", "<sigh>", "a < b and c > d", "x <i think so> y", "AT&T", "R&B; soul", "5 &c"]

SPACES = [
    ("  a\u00a0b \t c  ", "a b c"),
    ("a\r\nb \n\n\n\n c\n", "a\nb\n\nc"),
    ("a\u200bb\ufeff\u00ad", "ab"),
    ("ok\x00\x07", "ok"),
    ("می\u200cخواهم 👨\u200d👩", "می\u200cخواهم 👨\u200d👩"),
    ("jo\u200din", "join"),
]


@pytest.mark.parametrize(("damaged", "sound"), ENCODING)
def test_the_wrong_table_is_undone(damaged: str, sound: str) -> None:
    assert fix_encoding(damaged) == sound


@pytest.mark.parametrize("text", SOUND)
def test_sound_letters_stay(text: str) -> None:
    assert fix_encoding(text) == text


@pytest.mark.parametrize(("page", "text"), HTML)
def test_html_becomes_text(page: str, text: str) -> None:
    assert has_html(page)
    assert fix_html(page) == text


@pytest.mark.parametrize("text", NO_HTML)
def test_what_people_write_is_no_html(text: str) -> None:
    assert not has_html(text)
    assert fix_html(text) == text


@pytest.mark.parametrize(("odd", "plain"), SPACES)
def test_white_space_is_of_one_kind(odd: str, plain: str) -> None:
    assert fix_spaces(odd) == plain


PIECES = [pair[0] for pair in ENCODING + HTML + SPACES] + SOUND + NO_HTML + ["&", "lt;", "<", "p>"]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=5).map("".join))
def test_repair_does_nothing_to_what_it_repaired(text: str) -> None:
    once = fix_all(text)
    assert fix_all(once) == once
