"""Items, replies and judges for these tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from smallhours.evaluate.judging.asking import Judgement, Kind
from smallhours.evaluate.judging.items import Choice, Item

KIND, RUDE = "That sounds heavy. Sit down for a moment.", "You have a disorder. Pull yourself together."
ITEM = Item(question="i cant sleep", one=KIND, two=RUDE)


def reply(*faults: tuple[str, Kind, str], better: str = "neither") -> str:
    """A reply in good order."""
    named = [{"answer": answer, "kind": kind, "quote": quote} for answer, kind, quote in faults]
    return json.dumps({"faults": named, "reason": "Because.", "better": better})


def judgement(better: Choice = "tie", **changes: Any) -> Judgement:
    """What a judge says, in short."""
    plain: dict[str, Any] = {"first": "one", "one": (), "two": (), "unquoted": 0, "reason": "Because."}
    return Judgement(better=better, **{**plain, **changes})


class FakeJudge:
    """Says what a function makes of an item, and counts; an exception is raised."""

    def __init__(self, say: Callable[[Item], Judgement | Exception]) -> None:
        self.say = say
        self.asked: list[Item] = []

    def compare(self, item: Item) -> Judgement:
        self.asked.append(item)
        said = self.say(item)
        if isinstance(said, Exception):
            raise said
        return said
