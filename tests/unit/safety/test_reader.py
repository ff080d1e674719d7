"""The reader: what it can read, in which pieces, and that it decides nothing alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhours.domain.messages import Conversation
from smallhours.domain.risk import RiskLevel
from smallhours.safety import SafetyPipeline
from smallhours.safety.evidence import READER
from smallhours.safety.reader import RiskReader, can_read, windows


class CountsWords:
    """A model for which only the words "dark" and "grave" mean anything."""

    def encode(self, texts: Sequence[str]) -> Any:
        return np.array(
            [[t.split().count("dark"), t.split().count("grave")] for t in texts], dtype=np.float32
        )


def fake() -> RiskReader:
    return RiskReader(CountsWords(), np.eye(2, dtype=np.float32), np.zeros(2, dtype=np.float32), grave=1.5)


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("I do not know what to do any more", True),
        ("ya no quiero seguir", False),
        ("मुझे नहीं पता", False),
        ("two words", False),
        ("12345 678 !!!", False),
        ("", False),
    ],
)
def test_it_reads_english(text: str, readable: bool) -> None:
    assert can_read(text) is readable


@given(st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=900))
@settings(max_examples=50, deadline=None)
def test_a_message_is_read_to_its_end_in_overlapping_windows(words: list[str]) -> None:
    pieces = [piece.split() for piece in windows(" ".join(words))]
    assert pieces[0] == words[:160]
    assert pieces[-1][-1] == words[-1]
    assert len(pieces) <= 8
    if len(words) <= 720:
        assert sum(map(len, pieces)) >= len(words)


def test_the_worst_window_counts() -> None:
    said = "word " * 400 + "dark dark " + "word " * 100
    ((found,),) = fake().detect_many([said])
    assert (found.score, found.level) == (2.0, RiskLevel.NONE)


def test_a_grave_message_is_high() -> None:
    ((found,),) = fake().detect_many(["this is grave and grave again"])
    assert found.level is RiskLevel.HIGH


def test_what_cannot_be_read_gets_no_finding() -> None:
    assert fake().detect_many(["", "ok", "слишком темно здесь"]) == [[], [], []]


def test_many_get_what_each_gets() -> None:
    texts = ["a dark day again", "ok", "nothing of the kind here", "a dark day again"]
    assert fake().detect_many(texts) == [fake().detect_many([text])[0] for text in texts]


def test_an_error_in_the_reader_escalates() -> None:
    def broken(_: str) -> list[Any]:
        raise RuntimeError("weights are gone")

    decision = SafetyPipeline({READER: broken}).screen_input(Conversation.of("hello there you"))
    assert decision.level is RiskLevel.ELEVATED
