"""Shared by the review tests: reviewers, sign-offs and a clock that stands still."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from smallhours.corpus.review.session import Review
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example
from smallhours.domain.sign_offs import Reviewer, SignOff, Verdict, example_hash

ANA = Reviewer(name="Ana Osei", credential="clinical psychologist")
BO = Reviewer(name="Bo Li", credential="GP")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def pair(number: int = 1, answer: str = "Rest a little. Then call a friend.") -> Example:
    messages = (
        Message(role=Role.USER, content=f"how do i get through night {number}"),
        Message(role=Role.ASSISTANT, content=answer),
    )
    return Example(id=f"p{number}", topic="sleep" if number % 2 else "grief", messages=messages)


def said(example: Example, who: Reviewer, verdict: str, words: str = "Other words.") -> SignOff:
    edited = (*example.messages[:-1], Message(role=Role.ASSISTANT, content=words))
    return SignOff(
        pair=example.id,
        text=example_hash(example),
        verdict=Verdict(verdict),
        reason="too brisk" if verdict == "reject" else "",
        messages=edited if verdict == "edit" else None,
        reviewer=who,
        at=NOON,
    )


def review(file: Path, who: Reviewer = ANA, pairs: int = 4, *, again: bool = False) -> Review:
    return Review([pair(n) for n in range(1, pairs + 1)], file, who, again, clock=lambda: NOON)
