"""What the next answer sees of a long conversation, and what outlives every cut."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.domain.memory import Exchange, Fact, Remembered, Reply
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.risk import Finding, RiskLevel
from smallhours.safety.conversation import lasting
from smallhours.safety.pipeline import SafetyPipeline
from smallhours.semantics.vectors import SentenceVectors
from smallhours.serve.memory.context import CHARACTERS_PER_TOKEN, context, fact_in, summary_of

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SAFETY = SafetyPipeline()


def remembered(*said: str, first: int = 0, risk: tuple[Finding, ...] = (), **more: object) -> Remembered:
    reply = Reply(content="I hear you.", about={}, created=NOW)
    exchanges = tuple(
        Exchange(number=first + n, content=text, created=NOW, reply=reply) for n, text in enumerate(said)
    )
    return Remembered(id="c", locale="en", created=NOW, expires=NOW, exchanges=exchanges, risk=risk, **more)


@given(st.lists(st.text(min_size=1, max_size=300), max_size=12), st.text(min_size=1, max_size=300))
def test_the_newest_message_is_whole_and_the_rest_keeps_the_budget(said: list[str], new: str) -> None:
    seen = context(remembered(*said), new, "en", 100)
    assert seen.conversation.last_user_text == new
    older = sum(len(m.content) for m in seen.conversation.messages) - len(new)
    assert older <= max(0, 100 * CHARACTERS_PER_TOKEN - len(new))
    assert seen.conversation.messages[0].role is Role.USER


def test_facts_and_summary_come_first_and_in_the_persons_name() -> None:
    facts = (Fact(id=1, text="my exam is on friday", created=NOW),)
    seen = context(remembered("hello", facts=facts, summary=("I moved in May.",)), "hi", "en", 200)
    first = seen.conversation.messages[0]
    assert (
        first.role is Role.USER
        and "my exam is on friday" in first.content
        and "I moved in May." in first.content
    )


def told(turns: list[str], cut_after: int) -> RiskLevel:
    """The level at the last turn, where only the last ``cut_after`` turns are still sent."""
    kept: list[Finding] = []
    decision = None
    for number in range(len(turns)):
        first = max(0, number - cut_after)
        earlier = [f.model_copy(update={"message": f.message - first}) for f in kept if f.message < first]
        messages = tuple(Message(role=Role.USER, content=text) for text in turns[first : number + 1])
        decision = SAFETY.screen_input(Conversation(messages=messages), earlier)
        here = lasting(decision.findings, number - first)
        kept += [f.model_copy(update={"message": number}) for f in here]
    assert decision is not None
    return decision.level


CALM = [
    "the bus was late today",
    "i had soup for lunch",
    "my sister called",
    "it rains again",
    "i cleaned up",
]


@pytest.mark.parametrize("after", range(6))
@pytest.mark.parametrize("said", ["i am going to kill myself tonight", "i want to die", "i had soup again"])
def test_risk_is_the_same_whether_the_words_are_still_sent_or_not(said: str, after: int) -> None:
    turns = [said, *CALM[:after]]
    assert told(turns, cut_after=0) == told(turns, cut_after=99)


def test_the_risk_of_what_was_cut_reaches_the_decision_at_its_age() -> None:
    high = Finding(detector="crisis", rule="plan", level=RiskLevel.HIGH, message=0)
    kept = remembered(*("x" * 300 for _ in range(4)), first=1, risk=(high,))
    seen = context(kept, "and now", "en", 100)
    assert seen.first > 1 and [f.message for f in seen.earlier] == [0 - seen.first]
    assert SAFETY.screen_input(seen.conversation, seen.earlier).level is RiskLevel.LOW  # five turns on


def test_a_summary_is_the_persons_own_sentences_without_the_dangerous_ones() -> None:
    encoder = SentenceVectors()
    said = (
        "My landlord wants me out by May. I am looking for a new flat near the river. ok.",
        "I want to kill myself. Flats are so expensive in this city.",
    )
    dropped = [Exchange(number=n, content=text, created=NOW) for n, text in enumerate(said)]
    is_risky = lambda text: SAFETY.screen_input(Conversation.of(text)).level is not RiskLevel.NONE  # noqa: E731
    summary = summary_of((), dropped, encoder, is_risky)
    assert summary and all(any(sentence in text for text in said) for sentence in summary)
    assert not any("kill" in sentence for sentence in summary)
    assert summary_of((), [], encoder, is_risky) == ()
    long = [
        Exchange(number=n, content=f"Sentence number {n} says something of its own.", created=NOW)
        for n in range(99)
    ]
    assert sum(map(len, summary_of(summary, long, encoder, is_risky))) <= 600


@pytest.mark.parametrize(
    ("message", "fact"),
    [
        ("please remember that my exam is on friday", "my exam is on friday"),
        ("Could you remember this: I work nights.", "I work nights"),
        ("can you remember my cat is called Ludmila? thanks", "my cat is called Ludmila"),
        ("i remember that summer", None),
        ("do you remember me", None),
    ],
)
def test_what_is_asked_to_be_remembered(message: str, fact: str | None) -> None:
    assert fact_in(message) == fact
