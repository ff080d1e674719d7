"""What an answer presumes of whoever gets it."""

from __future__ import annotations

import pytest

from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example
from smallhours.serve import wording
from smallhours.serve.wording import Wording

PAIRS = [
    ("stillborn at 38 wks. the milk came in anyway", "When the milk comes in, ask a midwife how to ease it."),
    ("what do i do when the panic starts", "Press both palms on something solid until the panic passes."),
    ("cant sleep again", "Get up for a while and do something quiet before you try to sleep."),
]


def pair(question: str, answer: str) -> Example:
    turns = ((Role.USER, question), (Role.ASSISTANT, answer))
    return Example(id=question, messages=tuple(Message(role=role, content=text) for role, text in turns))


@pytest.mark.parametrize(
    ("question", "at", "presumed"),
    [
        ("34 weeks pregnant and i cannot stop googling what could go wrong", 0, {"milk"}),
        ("the milk came although she was stillborn", 0, set()),
        ("my heart races, is this panic", 1, set()),
        ("i sleep badly", 2, set()),
    ],
)
def test_it_is_what_it_took_up_from_another_question(
    question: str, at: int, presumed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wording, "_ENOUGH", 1)
    pairs = [pair(*one) for one in PAIRS]
    assert Wording(pairs).presumed(pairs[at], question) == presumed


def test_what_many_pairs_speak_of_is_not_presumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wording, "_ENOUGH", 1)
    pairs = [pair(f"question {n} about my mum", f"answer {n} about your mum") for n in range(9)]
    assert Wording(pairs).presumed(pairs[0], "a question about my father and nothing else") == set()


def test_few_pairs_do_not_say_what_is_rare() -> None:
    pairs = [pair(*one) for one in PAIRS]
    assert Wording(pairs).presumed(pairs[0], "something else") == set()
