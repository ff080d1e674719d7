"""What is compared: one question and two answers to it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations
from typing import Literal

from smallhours.domain.artifacts import hash_json
from smallhours.domain.messages import Frozen
from smallhours.evaluate.baselines import Answered

Choice = Literal["one", "two", "tie"]
COMPARED = ("base", "tuned", "pipeline")
OTHER: dict[Choice, Choice] = {"one": "two", "two": "one", "tie": "tie"}


class Item(Frozen):
    """A question and two answers; which is ``one`` says nothing about where it is shown."""

    question: str
    one: str
    two: str

    @property
    def key(self) -> str:
        """The same for the same words, wherever they stand."""
        return hash_json([self.question, self.one, self.two])

    @property
    def differs(self) -> bool:
        """Whether there is anything to choose: white space aside, the answers are not the same."""
        return self.one.split() != self.two.split()

    def swapped(self, salt: str) -> bool:
        """Whether ``two`` is to be shown first: drawn by ``salt``, and for one item always the same."""
        return random.Random(f"{salt}:{self.key}").random() < 0.5


class Match(Frozen):
    """An item of a run: who gave the answers (``base``, ``tuned``, ``pipeline``) to the question of an id."""

    id: str
    one: str
    two: str
    item: Item

    @property
    def name(self) -> str:
        """The later stage first: it is the one that is to be better."""
        return f"{self.two}_against_{self.one}"


def matches(answered: Sequence[Answered]) -> list[Match]:
    """Each two of the untouched model, the tuned one and what ships, on every question."""
    return [
        Match(
            id=given.id,
            one=one,
            two=two,
            item=Item(question=given.question, one=given.text(one), two=given.text(two)),
        )
        for given in answered
        for one, two in combinations(COMPARED, 2)
    ]


def differing(played: Sequence[Match]) -> list[Item]:
    """Where there is something to choose, each pair of answers once."""
    return list({match.item.key: match.item for match in played if match.item.differs}.values())
