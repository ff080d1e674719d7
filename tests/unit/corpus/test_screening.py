"""Rows are screened together, and judged as they would be by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from smallhours.corpus.screening import TOGETHER, Ahead, crises
from smallhours.corpus.shapes import Found
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.records import Example
from smallhours.domain.risk import Action, Decision, Finding, RiskLevel


def screen(conversation: Conversation) -> Decision:
    found = [
        Finding(detector="test", rule="dark", level=RiskLevel.HIGH, message=number)
        for number, text in enumerate(conversation.user_texts)
        if "dark" in text
    ]
    level = RiskLevel.HIGH if found else RiskLevel.NONE
    return Decision(
        level=level, action=Action.ANSWER, score=0, language="en", findings=tuple(found), policy="test"
    )


def unasked(_: Conversation) -> Decision:
    raise AssertionError("asked about one, although all were screened together")


def rows(number: int) -> Iterator[Found]:
    """Of two questions each; every third row's first question is dark, every fifth row's second."""
    for at in range(number):
        said = (f"{at} is {'dark' if at % 3 == 0 else 'light'}", f"and {'dark' if at % 5 == 0 else 'bright'}")
        turns = [m for text in said for m in (Message(role=Role.USER, content=text), ANSWER)]
        yield Found(f"row {at}", Example(id=str(at), topic="t", messages=tuple(turns), source="test"))


ANSWER = Message(role=Role.ASSISTANT, content="Rest a little.")


def test_together_or_alone_the_same_crises_are_found() -> None:
    ahead = Ahead(unasked, lambda many: map(screen, many))
    count = TOGETHER + 30
    together = [
        list(crises(item.example, ahead)) for item in ahead.over(rows(count)) if isinstance(item, Found)
    ]
    assert together == [list(crises(item.example, screen)) for item in rows(count)]
    assert together[0] == [(0, "level high"), (2, "level high")] and together[1] == []


@pytest.mark.parametrize("result", ["raises", "too few"])
def test_where_screening_together_breaks_each_row_is_asked_about_by_itself(result: str) -> None:
    def screen_many(many: Iterable[Conversation]) -> Iterable[Decision]:
        if result == "raises":
            raise MemoryError
        return [screen(one) for one in many][:-1]

    ahead = Ahead(screen, screen_many)
    found = [list(crises(item.example, ahead)) for item in ahead.over(rows(4)) if isinstance(item, Found)]
    assert found == [list(crises(item.example, screen)) for item in rows(4)]


def test_what_was_not_shown_is_asked_for() -> None:
    ahead = Ahead(screen, lambda many: map(screen, many))
    assert ahead(Conversation.of("dark")).level is RiskLevel.HIGH
