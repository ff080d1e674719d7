"""One example in, the repaired one out with what was done, or the reasons to leave it out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.corpus.problems import Rule
from smallhours.corpus.repair import Deed, Repaired, Repairer
from smallhours.corpus.rows import Fault
from smallhours.corpus.shapes import Found
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.records import Example
from smallhours.domain.risk import Action, Decision, Finding, RiskLevel

MakePair = Callable[..., Example]
FINE = "That sounds tiring, and it makes sense that you would like some quiet now. " * 2


def screen(conversation: Conversation) -> Decision:
    """A screen of one word: what says "unbearable" is a crisis."""
    texts = conversation.user_texts
    levels = [RiskLevel.HIGH if "unbearable" in text else RiskLevel.NONE for text in texts]
    findings = tuple(
        Finding(detector="test", rule="word", level=level, message=number)
        for number, level in enumerate(levels)
    )
    level = max(levels)
    return Decision(
        level=level, action=Action.ANSWER, score=0.0, language="en", findings=findings, policy="test"
    )


def broken(conversation: Conversation) -> Decision:
    raise RuntimeError("no screen today")


def repaired(example: Example, with_screen: Callable[[Conversation], Decision] | None = screen) -> Repaired:
    return Repairer(with_screen).repair(Found("p.csv row 2", example))


def test_a_sound_pair_comes_out_as_it_went_in(make_pair: MakePair) -> None:
    pair = make_pair("x1", "How can I rest?", FINE.strip())
    outcome = repaired(pair)
    assert outcome.example is pair
    assert (outcome.done, outcome.reasons) == ((), ())


# Question, answer, what they become, and what was done.
REPAIRED = [
    (
        "Je nâ€™arrive pas Ã  dormir",
        FINE + "“So.”",
        "Je n’arrive pas à dormir",
        FINE + "“So.”",
        [Deed.ENCODING],
    ),
    ("q &amp; a<br>?", FINE + "So.", "q & a\n?", FINE + "So.", [Deed.HTML]),
    (" a\u00a0\u200b b ", FINE + "So.", "a b", FINE + "So.", [Deed.SPACES]),
    (
        "My name is Maria",
        FINE + "Rest, Maria.",
        "My name is [name]",
        FINE + "Rest, [name].",
        [Deed.MASKED] * 2,
    ),
    (
        "a &#64; b, my name is Ana",
        FINE + "So.",
        "a @ b, my name is [name]",
        FINE + "So.",
        [Deed.HTML, Deed.MASKED],
    ),
]


@pytest.mark.parametrize(("question", "answer", "better", "best", "deeds"), REPAIRED)
def test_damage_is_repaired_and_said(
    make_pair: MakePair, question: str, answer: str, better: str, best: str, deeds: list[Deed]
) -> None:
    outcome = repaired(make_pair("x1", question, answer))
    assert outcome.example is not None
    assert (outcome.example.question, outcome.example.answer) == (better, best)
    assert [done.deed for done in outcome.done] == deeds


def test_what_was_masked_is_counted_by_kind_and_not_quoted(make_pair: MakePair) -> None:
    outcome = repaired(make_pair("x1", "I am at a@example.org or b@example.org, my name is Zoe", FINE))
    assert [done.detail for done in outcome.done if done.deed is Deed.MASKED] == ["email 2, name 1"]


# What is left out, and why.
LEFT_OUT = [
    ("How can I rest?", "\u200b\u00a0", Rule.NEAR_EMPTY),
    ("<br>", FINE, Rule.NEAR_EMPTY),
    ("How can I rest?", "Rest!", Rule.NEAR_EMPTY),
    ("How can I rest?", "n/a", Rule.NEAR_EMPTY),
    ("How can I rest?", "how can I rest", Rule.ECHO),
    ("How can I rest?", FINE + "You clearly have depression.", Rule.DIAGNOSIS),
    ("How can I rest?", FINE + "Take two tablets.", Rule.DOSE),
    ("It is unbearable", FINE, Rule.CRISIS),
    ("It is un\u200bbearable", FINE, Rule.CRISIS),
]


@pytest.mark.parametrize(("question", "answer", "rule"), LEFT_OUT)
def test_what_cannot_be_put_right_is_left_out(
    make_pair: MakePair, question: str, answer: str, rule: Rule
) -> None:
    outcome = repaired(make_pair("x1", question, answer))
    assert outcome.example is None
    assert outcome.done == ()
    assert rule in {reason.rule for reason in outcome.reasons}


def test_an_error_inside_the_screen_leaves_the_row_out(make_pair: MakePair) -> None:
    outcome = repaired(make_pair("x1", "How can I rest?", FINE), broken)
    assert outcome.example is None
    assert [(reason.rule, reason.text) for reason in outcome.reasons] == [
        (Rule.CRISIS, "could not be screened")
    ]


PIECES = st.sampled_from(
    [FINE, *(text for case in REPAIRED for text in case[:2]), "@", "&", "<", "\u00a0", "'"]
)


@given(st.lists(PIECES | st.text(max_size=3), min_size=1, max_size=4).map("".join))
def test_what_was_repaired_needs_no_repair(text: str) -> None:
    messages = (Message(role=Role.USER, content=text), Message(role=Role.ASSISTANT, content=FINE + text))
    once = repaired(Example(id="x1", messages=messages))
    if once.example:
        assert repaired(once.example) == Repaired("p.csv row 2", "x1", once.example)


def test_a_row_that_cannot_be_read_is_left_out() -> None:
    outcome = Repairer().repair(Fault("p.csv row 3", "answer is empty"))
    assert (outcome.place, outcome.example, outcome.reasons[0].rule) == ("p.csv row 3", None, Rule.UNREADABLE)


def test_of_repeats_the_first_that_can_be_used_stays(make_pair: MakePair) -> None:
    repairer = Repairer(screen)
    pairs = [
        make_pair("x1", "My name is Ana, it is hard", FINE),
        make_pair("x2", "my name is Ana, it is hard!", FINE),
        make_pair("x3", "my name is Ana, it is hard", FINE + "Truly."),
    ]
    outcomes = [repairer.repair(Found(f"row {number}", pair)) for number, pair in enumerate(pairs)]
    assert [outcome.example is not None for outcome in outcomes] == [True, False, True]
    assert outcomes[1].reasons[0].text == "and answer repeat row 0"


def conversation(*turns: tuple[str, str, int]) -> Example:
    messages = tuple(Message(role=Role(role), content=text, weight=weight) for role, text, weight in turns)
    return Example(id="c1", messages=messages)


def test_a_crisis_that_gets_a_fixed_reply_may_stand_in_a_conversation() -> None:
    handed_over = conversation(
        ("user", "It is unbearable", 1),
        ("assistant", "Call  somebody&nbsp;now, my name is Ana", 0),
        ("user", "My sister is here", 1),
        ("assistant", FINE.strip(), 1),
    )
    outcome = repaired(handed_over)
    assert outcome.example == handed_over, "the fixed reply stays to the letter"


def test_a_crisis_that_a_model_would_learn_to_answer_may_not() -> None:
    outcome = repaired(
        conversation(
            ("user", "Hello", 1),
            ("assistant", FINE, 1),
            ("user", "It is unbearable", 1),
            ("user", "what now", 1),
            ("assistant", FINE, 1),
            ("user", "I am safe now", 1),
            ("assistant", FINE, 1),
        )
    )
    assert [(reason.rule, reason.field) for reason in outcome.reasons] == [(Rule.CRISIS, "messages.3")]
