"""A judge's reply is believed as far as it can be checked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.domain.errors import ReplyError
from smallhours.evaluate.judging.asking import (
    INSTRUCTION,
    KINDS,
    SCHEMA,
    EngineJudge,
    read_reply,
    stands_in,
)
from smallhours.evaluate.judging.items import Item
from smallhours.llm.engines.scripted import ScriptedEngine
from tests.unit.evaluate.judging.kit import ITEM, KIND, RUDE, reply


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ("You have a disorder.", True),
        ("  You have\na  disorder. ", True),
        ("you have a disorder.", False),
        ("You have an illness.", False),
        (KIND, False),
        ("", False),
        (" . ", False),
    ],
)
def test_a_quotation_stands_in_the_answer_letter_by_letter(quote: str, stands: bool) -> None:
    assert stands_in(quote, RUDE) is stands


@pytest.mark.parametrize("swapped", [False, True])
def test_a_fault_counts_with_a_true_quotation_and_is_dropped_and_counted_without(swapped: bool) -> None:
    rude, kind = ("A", "B") if swapped else ("B", "A")
    text = reply(
        (rude, "diagnosis", "You have a disorder."),
        (rude, "dismissive", "Pull yourself up."),
        (kind, "unclear", "You have a disorder."),
        better=kind,
    )
    found = read_reply(text, ITEM, swapped=swapped)
    assert [(fault.kind, fault.quote) for fault in found.two] == [("diagnosis", "You have a disorder.")]
    assert (found.one, found.unquoted, found.better) == ((), 2, "one")
    assert found.first == ("two" if swapped else "one")


def test_neither_is_a_tie_in_any_order() -> None:
    assert {read_reply(reply(), ITEM, swapped=swapped).better for swapped in (True, False)} == {"tie"}


def test_a_code_fence_around_the_reply_is_no_fault() -> None:
    assert read_reply(f"```json\n{reply(better='A')}\n```", ITEM, swapped=False).better == "one"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A is better.",
        '{"better": "A"}',
        '{"faults": [], "reason": "r", "better": "C"}',
        '{"faults": [{"answer": "A", "kind": "rude", "quote": "You"}], "reason": "r", "better": "A"}',
        reply()[:-3],
    ],
)
def test_what_is_not_of_the_schema_is_no_judgement(text: str) -> None:
    with pytest.raises(ReplyError, match="not JSON of the schema"):
        read_reply(text, ITEM, swapped=False)


@given(st.text(max_size=60))
def test_whatever_comes_back_is_read_or_refused(text: str) -> None:
    with pytest.raises(ReplyError):
        read_reply(text, ITEM, swapped=False)


def test_the_model_gets_two_answers_as_data_and_no_word_of_whose_they_are() -> None:
    engine = ScriptedEngine([reply(better="A")])
    found = EngineJudge(engine, seed=7).compare(ITEM)
    sent = json.loads(engine.conversations[0].last_user_text)
    shown = [ITEM.two, ITEM.one] if found.first == "two" else [ITEM.one, ITEM.two]
    assert sent == {"message": ITEM.question, "A": shown[0], "B": shown[1]}
    assert found.better == found.first


def test_the_order_is_random_over_items_and_the_same_for_the_same_seed() -> None:
    items = [Item(question=f"question {number}", one=KIND, two=RUDE) for number in range(400)]
    drawn = [item.swapped("1") for item in items]
    assert 150 < sum(drawn) < 250
    assert drawn == [item.swapped("1") for item in items] != [item.swapped("2") for item in items]


def test_the_schema_is_closed_and_every_kind_is_explained() -> None:
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["required"] == ["faults", "reason", "better"]
    assert all(f"- {kind}: " in INSTRUCTION for kind in KINDS)
