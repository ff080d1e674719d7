"""The reader: what it reads, what it keeps of its training, and that it decides nothing alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from smallhours.domain.messages import Conversation
from smallhours.domain.risk import RiskLevel
from smallhours.safety import SafetyPipeline
from smallhours.safety.evidence import READER
from smallhours.safety.reader import RiskReader, packed, unpacked, whole
from smallhours.semantics.universal import original_weights


class CountsWords:
    """A model for which only the words "dark", "grave" and "harm" mean anything."""

    def encode(self, texts: Sequence[str]) -> Any:
        words = ("dark", "grave", "harm")
        return np.array([[t.split().count(word) for word in words] for t in texts], dtype=np.float32)


def fake() -> RiskReader:
    return RiskReader(CountsWords(), np.eye(3, dtype=np.float32), np.zeros(3, dtype=np.float32), grave=1.5)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("I do NOT know", "i do not know"),
        ("अब और नहीं", "ab aur nahi"),
        ("不想活了", "不想活了"),
        ("two words", ""),
        ("", ""),
        ("a" * 6000 + " between " + "b" * 6000, "a" * 6000 + " " + "b" * 6000),
    ],
)
def test_it_reads_all_of_a_message_in_its_plain_spelling(text: str, read: str) -> None:
    assert whole(text) == read


def test_a_grave_message_is_high() -> None:
    ((found,),) = fake().detect_many(["this is grave and grave again, and dark"])
    assert (found.level, found.score) == (RiskLevel.HIGH, 1.0)


def test_of_what_says_nothing_there_is_no_finding() -> None:
    assert fake().detect_many(["", "ok"]) == [[], []]


def test_a_reply_gets_the_third_question_and_a_score_alone() -> None:
    text = "this is dark, and it would harm and harm whoever reads it " + "alone in the night " * 3
    (found,) = fake().read_reply(text)
    assert (found.level, found.score, found.span) == (RiskLevel.NONE, 2.0, (0, len(text)))
    assert fake().read_reply("harm and harm in fewer words than it ever saw") == []


def test_many_get_what_each_gets() -> None:
    texts = ["a dark day again", "ok", "nothing of the kind here", "a dark day again"]
    assert fake().detect_many(texts) == [fake().detect_many([text])[0] for text in texts]


def test_what_changed_is_kept_to_a_hundredth_of_the_greatest_change() -> None:
    draw = np.random.default_rng(0)
    original = original_weights()
    tuned = {
        name: values + draw.normal(0, 0.01, values.shape).astype(np.float32)
        for name, values in original.items()
    }
    tuned["own.weight"] = draw.normal(0, 1, (4, 1280)).astype(np.float32)
    kept = unpacked(packed(tuned))
    assert kept.keys() == tuned.keys()
    for name in original:
        change = np.abs(tuned[name] - original[name]).max()
        assert np.abs(kept[name] - tuned[name]).max() <= change / 100, name


def test_an_error_in_the_reader_escalates() -> None:
    def broken(_: str) -> list[Any]:
        raise RuntimeError("weights are gone")

    decision = SafetyPipeline({READER: broken}).screen_input(Conversation.of("hello there you"))
    assert decision.level is RiskLevel.ELEVATED
