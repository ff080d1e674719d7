"""Syllables, sentences and the grade, on words and sentences counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.semantics.readability import Size, count_syllables, measure

BY_HAND = {
    1: "the you breathe times walked friend quite eyes clothes called we're aren't tired you've x 7",
    2: "table little centre wanted changes being quiet rhythm wouldn't something careful every maybe "
    "headache worried judgement settled GP OK 15 going boss's",
    3: "area idea beautiful difficult anyone actual medicine family's period 112 NHS "
    "marriage-bed loneliness quietly everyone therapist familiar",
    4: "anxiety situation experience psychiatrist criticism usually PTSD cooperate appreciate "
    "material society",
    5: "university curiosity anniversary sexuality international",
}


@pytest.mark.parametrize(
    ("word", "syllables"),
    [(word, count) for count, words in BY_HAND.items() for word in words.split()],
)
def test_syllables_are_those_one_hears(word: str, syllables: int) -> None:
    assert count_syllables(word) == syllables


@pytest.mark.parametrize(
    ("text", "words", "sentences", "syllables"),
    [
        ("The cat sat on the mat.", 6, 1, 6),
        ("It is late. You are still up. Are you all right?", 11, 3, 11),
        ("Dr. Ito said: rest, e.g. on the sofa.", 8, 1, 11),
        ("Write it down at 10 p.m. and sleep. Good.", 9, 2, 11),
        ("First line\nsecond line", 4, 2, 5),
        ("Wait… “Really?” Yes!!", 3, 3, 4),
        ("A low-cost café costs 3.50 a day", 7, 1, 11),
        ("", 0, 0, 0),
        ("?! …", 0, 0, 0),
    ],
)
def test_texts_are_counted_as_a_reader_would(text: str, words: int, sentences: int, syllables: int) -> None:
    assert measure(text) == Size(words, sentences, syllables)


def test_the_grade_is_the_formula_of_1975() -> None:
    assert measure("The cat sat on the mat.").grade == pytest.approx(0.39 * 6 + 11.8 * 1 - 15.59)
    # a-void an-y u-ni-ver-si-ty ex-am-i-na-tions af-ter the hol-i-day
    hard = measure("Avoid any university examinations after the holiday.")
    assert (hard.words, hard.sentences, hard.syllables) == (7, 1, 20)
    assert hard.grade == pytest.approx(0.39 * 7 + 11.8 * 20 / 7 - 15.59)


def test_without_words_there_is_no_grade() -> None:
    assert measure("…").grade is None


@given(st.text())
def test_any_text_can_be_measured_and_no_word_is_silent(text: str) -> None:
    size = measure(text)
    assert size.syllables >= size.words >= size.sentences >= bool(size.words)


@given(st.lists(st.sampled_from(["I slept.", "Who knows?", "It passes, in time!"]), min_size=1))
def test_sentences_add_up(sentences: list[str]) -> None:
    total = Size()
    for sentence in sentences:
        total = total + measure(sentence)
    assert measure(" ".join(sentences)) == total
