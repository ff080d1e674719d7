"""Errors stop a build, warnings are for a person to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from smallhours.corpus.content import LONGEST_MESSAGE
from smallhours.corpus.problems import Problem, Rule, Severity
from smallhours.corpus.rows import Fault
from smallhours.corpus.screening import crises, read_as_ordinary
from smallhours.corpus.shapes import Found
from smallhours.corpus.text import count_words, wording
from smallhours.corpus.validate import check, check_pairs
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.records import Example
from smallhours.domain.risk import Action, Decision, Finding, RiskLevel

MakePair = Callable[..., Example]
FINE = "That sounds tiring, and it makes sense that you would like some quiet now. " * 2
CASES = [
    ("a few words only here", Severity.WARNING, "answer has 5 words; aim for 20 to 120"),
    ("word " * 121, Severity.WARNING, "answer has 121 words"),
    ("Rest!", Severity.ERROR, "answer is a single word; write at least a sentence"),
    ("How can I rest", Severity.ERROR, "answer repeats the question"),
    ("N/A", Severity.ERROR, "answer says nothing; write the answer"),
    ("…", Severity.ERROR, "answer says nothing"),
    (FINE + "Isnâ€™t it?", Severity.WARNING, "answer looks decoded with the wrong table"),
    (
        FINE + "Isn\ufffdt it?",
        Severity.WARNING,
        "holds '\ufffd', where a letter was lost; take the text from its",
    ),
    (FINE + "<br>So.", Severity.WARNING, "answer holds leftovers of HTML; remove them with --fix"),
    (FINE + "&quot;So.&quot;", Severity.WARNING, "answer holds leftovers of HTML"),
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
    assert [(p.id, p.text) for p in check_pairs(pairs, "p.csv")] == [
        ("x2", "and answer repeat p.csv pair 'x1'")
    ]


def test_personal_data_is_reported_by_kind_and_place_and_never_quoted(make_pair: MakePair) -> None:
    pair = make_pair("x1", "my name is Maria, call me on 415-555-0132", FINE + "Rest, Maria.")
    problems = check_pairs([pair], "p.csv")
    assert [str(problem).partition("; ")[0] for problem in problems] == [
        "p.csv pair 'x1': question holds personal data: name, characters 11 to 16",
        "p.csv pair 'x1': question holds personal data: phone, characters 29 to 41",
        "p.csv pair 'x1': answer holds personal data: name, characters 156 to 161",
    ]
    assert not any("Maria" in problem.model_dump_json() for problem in problems)


def test_invented_names_are_nobodys(make_pair: MakePair) -> None:
    pair = make_pair("x1", "my name is Maria", FINE)
    assert check_pairs([pair], "builtin:98", invented=True) == []


def test_rows_come_one_at_a_time_and_so_do_problems(make_pair: MakePair) -> None:
    def rows() -> Iterator[Found | Fault]:
        yield Found("p.csv row 2", make_pair("x1", "How can I rest?", "Rest!"))
        yield Fault("p.csv row 3", "answer is empty")
        raise AssertionError("nobody asked for this row")

    problems = check(rows())
    assert [next(problems).rule for _ in range(2)] == [Rule.NEAR_EMPTY, Rule.UNREADABLE]


@pytest.mark.parametrize(
    ("text", "words"), [("two words", 2), ("我今天很累，睡不着觉。", 4), ("เหนื่อยมาก", 5), ("मैं थक गया हूँ", 4)]
)
def test_words_are_counted_in_scripts_without_spaces_too(text: str, words: int) -> None:
    assert abs(count_words(text) - words) <= 1


def test_vowel_signs_make_another_wording() -> None:
    assert wording("की") != wording("का")


def screen(conversation: Conversation) -> Decision:
    """A screen of one word; like the real one it goes by all turns and says whose finding is whose."""
    levels = [RiskLevel.HIGH if "unbearable" in text else RiskLevel.LOW for text in conversation.user_texts]
    return Decision(
        level=max(levels),
        action=Action.ANSWER,
        score=0.0,
        language="en",
        findings=tuple(
            Finding(detector="test", rule="word", level=level, message=number)
            for number, level in enumerate(levels)
        ),
        policy="test",
    )


def broken(conversation: Conversation) -> Decision:
    raise RuntimeError("no screen today")


def crisis_problems(example: Example, with_screen: Callable[[Conversation], Decision]) -> list[Problem]:
    problems = check_pairs([example], "p.csv", screen=with_screen)
    return [problem for problem in problems if problem.rule is Rule.CRISIS]


def test_a_question_in_a_crisis_is_an_error(make_pair: MakePair) -> None:
    (problem,) = crisis_problems(make_pair("x1", "It is unbearable", FINE), screen)
    assert str(problem) == (
        "p.csv pair 'x1': question is a crisis (level high); no model may learn to answer it: "
        "run corpus check --fix (error)"
    )


def test_a_screen_that_breaks_is_an_error_of_the_pair(make_pair: MakePair) -> None:
    (problem,) = crisis_problems(make_pair("x1", "How can I rest?", FINE), broken)
    assert (problem.text, problem.severity) == ("could not be screened", Severity.ERROR)


def test_nobody_looks_for_crises_unless_asked(make_pair: MakePair) -> None:
    assert check_pairs([make_pair("x1", "It is unbearable", FINE)], "p.csv") == []


def conversation(*turns: tuple[Role, str, int]) -> Example:
    return Example(id="c1", messages=tuple(Message(role=r, content=t, weight=w) for r, t, w in turns))


USER, OURS = Role.USER, Role.ASSISTANT
# Turns and the positions of the messages that no model may learn to answer.
CONVERSATIONS = [
    ([(USER, "Hello", 1), (OURS, FINE, 1), (USER, "It is unbearable", 1), (OURS, FINE, 1)], [2]),
    ([(USER, "It is unbearable", 1), (USER, "what now", 1), (OURS, FINE, 1)], [1]),
    ([(USER, "It is unbearable", 1), (OURS, FINE, 0)], []),
    ([(USER, "It is unbearable", 1), (OURS, FINE, 0), (USER, "I am safe", 1), (OURS, FINE, 1)], []),
    ([(USER, "It is unbearable", 1), (OURS, FINE, 1), (USER, "I am safe", 1), (OURS, FINE, 0)], [0]),
    ([(Role.SYSTEM, "Be kind", 1), (USER, "Hello", 1), (OURS, FINE, 1)], []),
]


@pytest.mark.parametrize(("turns", "positions"), CONVERSATIONS)
def test_of_a_conversation_each_turn_is_judged_with_its_answer(
    turns: list[tuple[Role, str, int]], positions: list[int]
) -> None:
    assert [position for position, _ in crises(conversation(*turns), screen)] == positions


def test_a_question_that_somebody_read_as_ordinary_passes_until_it_is_edited(make_pair: MakePair) -> None:
    def alarmed(conversation: Conversation) -> Decision:
        return screen(Conversation.of("unbearable"))

    question = "keep thinking i left the gas on. im at my mums 200 miles away. do i drive back?"
    assert wording(question) in read_as_ordinary()
    assert crisis_problems(make_pair("x1", question, FINE), alarmed) == []
    assert crisis_problems(make_pair("x1", f"{question} now", FINE), alarmed) != []


def test_fixed_replies_are_not_ours_to_judge() -> None:
    handed_over = conversation((USER, "Hello", 1), (OURS, "Call a@example.org<br>", 0))
    assert check_pairs([handed_over], "p.csv") == []
