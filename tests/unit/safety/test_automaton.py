"""The automaton finds what a naive search finds, at the right place, in linear time."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from smallhours.safety.automaton import Automaton
from smallhours.safety.phrases import parse

PHRASES = ["a b", "b [c] a", "a .. c", "(a|b) c c", "c c c"]


def automaton() -> Automaton:
    built = Automaton()
    for label, phrase in enumerate(PHRASES):
        built.add(parse(phrase, {}), label)
    return built


def naive(phrase: str, words: list[str]) -> set[int]:
    """The ends of all matches, by trying every stretch."""
    import re

    patterns = {
        "a b": "a b",
        "b [c] a": "b (?:c )?a",
        "a .. c": r"a (?:\w ){0,2}c",
        "(a|b) c c": "[ab] c c",
        "c c c": "c c c",
    }
    ends = set()
    for end in range(1, len(words) + 1):
        for start in range(end):
            if re.fullmatch(patterns[phrase], " ".join(words[start:end])):
                ends.add(end)
    return ends


@given(st.lists(st.sampled_from("abcd"), max_size=20))
def test_same_matches_as_a_naive_search(words: list[str]) -> None:
    matches = list(automaton().scan(words))
    for label, phrase in enumerate(PHRASES):
        assert {last + 1 for lab, last in matches if lab == label} == naive(phrase, words)


def test_a_match_begins_at_the_nearest_word_that_works() -> None:
    built = Automaton()
    built.add(parse("a .. c", {}), 0)
    words = ["a", "x", "a", "c"]
    assert [(m, built.start(words, m)) for m in built.scan(words)] == [((0, 3), 2)]


def test_time_grows_with_the_text_and_no_faster() -> None:
    built = automaton()
    words = ["a", "b", "d", "c"] * 5_000
    list(built.scan(words))
    began = time.perf_counter()
    list(built.scan(words * 10))
    assert time.perf_counter() - began < 3
