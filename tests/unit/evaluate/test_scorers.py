"""Each scorer can be checked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smallhours.evaluate.scorer_table import SCORERS
from smallhours.evaluate.scorers import (
    Answer,
    Wordings,
    acknowledges,
    points_to_help,
    repetition,
    words_of,
)

PLAIN = Answer(text="That sounds hard. Please see a doctor.", locale="en", stopped=False)


def score(name: str, answer: Answer) -> float | None:
    return next(scorer for scorer in SCORERS if scorer.name == name).score(answer)


@pytest.mark.parametrize(
    ("text", "helps"),
    [
        ("Please tell a doctor this week.", True),
        ("A counsellor can listen.", True),
        ("Consider talking to a healthcare provider.", True),
        ("If it spreads, get urgent medical help.", True),
        ("Have a glass of water and lie down.", False),
        ("I can help you with that.", False),
        ("You are therapeutic company.", False),
        ("", False),
    ],
)
def test_points_to_help(text: str, helps: bool) -> None:
    assert points_to_help(text) is helps


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("That sounds exhausting. Sit down first.", True),
        ("Feeling anxious is common. Breathe.", True),
        ("Try a list. It is hard at first.", False),
        ("", False),
    ],
)
def test_acknowledges_looks_at_the_first_sentence_only(text: str, named: bool) -> None:
    assert acknowledges(text) is named


@pytest.mark.parametrize(
    ("text", "share"),
    [("", 0.0), ("one two three", 0.0), ("a b c d a b c d", 0.2), ("go on " * 6, 1 - 2 / 9)],
)
def test_repetition_is_the_share_of_four_word_runs_seen_before(text: str, share: float) -> None:
    assert repetition(text) == pytest.approx(share)


def test_coverage_is_by_the_one_training_answer_that_shares_most() -> None:
    known = Wordings(["Keep the room dark and cool.", "Write the worry down before bed tonight."])
    assert known.coverage("keep the room DARK, and cool!") == 1.0
    assert known.coverage("Keep the room dark. Then write the worry down.") == pytest.approx(4 / 9)
    assert known.coverage("Something else altogether, said here.") == 0.0
    assert known.coverage("Keep it") == 0.0
    assert Wordings([]).coverage("keep the room dark") == 0.0


def test_apostrophes_and_case_do_not_hide_a_copy() -> None:
    assert words_of("Don’t PANIC, it's 3 a.m.") == ["don't", "panic", "it's", "3", "a", "m"]


@pytest.mark.parametrize(("coverage", "copied"), [(0.89, 0.0), (0.9, 1.0), (1.0, 1.0)])
def test_nine_tenths_is_a_copy(coverage: float, copied: float) -> None:
    assert score("copied", replace(PLAIN, coverage=coverage)) == copied


def test_what_is_not_known_is_not_scored() -> None:
    assert score("ended", PLAIN) is None
    assert score("ended", replace(PLAIN, ended=False)) == 0.0
    assert score("similarity", PLAIN) is None


@pytest.mark.parametrize("name", ["points_to_help", "acknowledges"])
def test_english_lists_say_nothing_about_other_languages(name: str) -> None:
    assert score(name, replace(PLAIN, locale="de-AT")) is None
    assert score(name, replace(PLAIN, locale="en-GB")) == 1.0


def test_every_scorer_says_what_it_does_under_a_name_of_its_own() -> None:
    assert len({scorer.name for scorer in SCORERS}) == len(SCORERS)
    assert all(scorer.explains.endswith(".") for scorer in SCORERS)
