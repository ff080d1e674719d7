"""Errors stop a build, warnings are for a person to look at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smallhours.corpus.validate import LONGEST_MESSAGE, Severity, check_pairs
from smallhours.domain.records import Example

MakePair = Callable[..., Example]
FINE = "That sounds tiring, and it makes sense that you would like some quiet now. " * 2
CASES = [
    ("a few words only here", Severity.WARNING, "answer has 5 words; aim for 20 to 120"),
    ("word " * 121, Severity.WARNING, "answer has 121 words"),
    ("Rest!", Severity.ERROR, "answer is a single word; write at least a sentence"),
    ("How can I rest", Severity.ERROR, "answer repeats the question"),
    (
        FINE + "You clearly have depression.",
        Severity.WARNING,
        "answer seems to diagnose ('You clearly have depression')",
    ),
    (FINE + "It sounds like ADHD.", Severity.WARNING, "seems to diagnose"),
    (FINE + "You’re bipolar.", Severity.WARNING, "seems to diagnose"),
    (FINE + "Take two tablets.", Severity.WARNING, "seems to dose a medicine ('Take two tablets')"),
    (FINE + "Try 50 mg at night.", Severity.WARNING, "seems to dose a medicine ('50 mg')"),
    (FINE + "You could halve your dose.", Severity.WARNING, "seems to dose"),
    ("word " * (LONGEST_MESSAGE // 5 + 1), Severity.ERROR, "messages.1 has 8005 characters; shorten it"),
]


@pytest.mark.parametrize(("answer", "severity", "part"), CASES)
def test_questionable_answers_are_named(
    make_pair: MakePair, answer: str, severity: Severity, part: str
) -> None:
    problems = check_pairs([make_pair("x1", "how can i rest?", answer)], "p.csv")
    matching = [problem for problem in problems if part in str(problem)]
    assert [problem.severity for problem in matching] == [severity]
    assert str(matching[0]).startswith("p.csv pair 'x1': ")
    assert str(matching[0]).endswith(f"({severity})")


@pytest.mark.parametrize(
    "harmless",
    [
        "I can't say whether this is depression.",
        "You have anxious days, and you have a right to rest.",
        "Take two slow breaths.",
        "Ask a doctor before you change anything.",
    ],
)
def test_plain_answers_pass(make_pair: MakePair, harmless: str) -> None:
    assert check_pairs([make_pair("x1", "how can i rest?", FINE + harmless)], "p.csv") == []


def test_a_repeated_pair_is_reported_once_and_another_answer_is_not(make_pair: MakePair) -> None:
    pairs = [
        make_pair("x1", "How can I rest?", FINE),
        make_pair("x2", "how can i rest", FINE),
        make_pair("x3", "how can i rest", FINE + "Truly."),
    ]
    assert [(p.id, p.rule) for p in check_pairs(pairs, "p.csv")] == [("x2", "and answer repeat pair 'x1'")]
