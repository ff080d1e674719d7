"""The phrase language of the lexicons."""

from __future__ import annotations

import pytest

from smallhours.safety.automaton import Automaton
from smallhours.safety.phrases import PhraseError, parse

SETS = {"i": "i|we", "want": "want to|wish to"}


def found(phrase: str, text: str) -> bool:
    automaton = Automaton(frozenset({"really"}))
    automaton.add(parse(phrase, SETS), 0)
    return any(True for _ in automaton.scan(("." + " " + text + " .").split()))


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("want to die", "i want to die", True),
        ("want to die", "i want it to die", False),
        ("want to die", "i want really to die", True),
        ("want to die", "i want . to . die", True),
        ("suicid*", "a suicidality scale", True),
        ("(kill|hurt) myself", "hurt myself", True),
        ("[very] sad", "sad", True),
        ("[very] sad", "very sad", True),
        ("(very)? sad", "sad", True),
        ("{i} {want} go", "we wish to go", True),
        ("end .. life", "end my own life", True),
        ("end .. life", "end my own dear old life", False),
        ("end ... life", "end my own dear old life", True),
        ("end .. life", "end it . my life", False),
        ("^ goodbye $", "goodbye", True),
        ("^ goodbye $", "say goodbye", False),
        ("don't go", "do not go", True),
        ("想死", "我 想 死", True),
    ],
)
def test_what_a_phrase_finds(phrase: str, text: str, expected: bool) -> None:
    assert found(phrase, text) is expected


@pytest.mark.parametrize("phrase", ["", "(a", "a)", "(a|)", "{nobody}", "[b"])
def test_a_broken_phrase_is_an_error_that_shows_it(phrase: str) -> None:
    with pytest.raises(PhraseError):
        parse(phrase, SETS)
