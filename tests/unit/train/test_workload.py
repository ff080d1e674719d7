"""How much text there is to train on, counted or estimated."""

from __future__ import annotations

import pytest

from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example
from smallhours.domain.settings import SYSTEM_PROMPT, CorpusSettings
from smallhours.llm.answer_loss import Encoded
from smallhours.llm.chat_format import CHATML, DIALOGPT
from smallhours.train.responder.loop import Plan
from smallhours.train.workload import (
    SAMPLE,
    Length,
    characters_per_token,
    counted_lengths,
    estimated_lengths,
    split_sizes,
    workload_of,
)

STEPS = Plan(total_steps=64, steps_per_epoch=126, validate_every=11, patience=2, warmup_steps=4)


def pair(question: str, answer: str, locale: str = "en") -> Example:
    said = (Message(role=Role.USER, content=question), Message(role=Role.ASSISTANT, content=answer))
    return Example(id="1", messages=said, locale=locale)


def test_a_workload_sums_up_its_examples() -> None:
    found = workload_of([Length(100, 40, 30), Length(60, 20, 30)], held_out=48, steps=STEPS, batch=8)
    assert (found.steps, found.batch, found.held_out) == (64, 8, 48)
    assert (found.tokens, found.answer_tokens, found.longest, found.prefix) == (80, 30, 100, 30)
    assert found.shapes == 2  # padded to 112 and to 64
    assert found.looks == 6  # after steps 11, 22, 33, 44, 55 and the last


def encoded(*ids: int) -> Encoded:
    return Encoded("x", ids, (False,) * (len(ids) - 2) + (True, True))


def test_encoded_examples_are_counted_exactly() -> None:
    found = counted_lengths([encoded(1, 2, 3, 9, 9), encoded(1, 2, 4, 9), encoded(1, 2, 3, 9, 9, 9)])
    assert found == [Length(5, 2, 2), Length(4, 2, 2), Length(6, 2, 2)]


def test_one_example_shares_its_beginning_with_none() -> None:
    assert counted_lengths([encoded(1, 2, 3)]) == [Length(3, 2, 0)]


@pytest.mark.parametrize(
    ("pairs", "expansion", "sizes"),
    [
        (1111, 1, (1003, 48)),  # the built-in pairs: both shares reach their limit of 48 and 60
        (98, 3, (219, 10)),  # 10 to validate, 15 to test, the rest three times
        (3, 1, (1, 1)),
    ],
)
def test_how_many_pairs_are_trained_on(pairs: int, expansion: int, sizes: tuple[int, int]) -> None:
    assert split_sizes(pairs, CorpusSettings(expansion=expansion)) == sizes


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("I cannot sleep", "en-GB", 4.6),
        ("Ich kann nicht schlafen, ständig grüble ich", "de", 2.8),
        ("मुझे नींद नहीं आती", "hi", 1.0),
        ("لا أستطيع النوم", "ar", 1.0),
    ],
)
def test_characters_per_token_depend_on_language_and_letters(text: str, locale: str, expected: float) -> None:
    assert characters_per_token(pair(text, text, locale)) == expected


def test_only_a_format_with_a_system_turn_shares_a_prefix() -> None:
    one = pair("x" * 460, "y" * 920)
    (chatml,) = estimated_lengths([one], CHATML, SYSTEM_PROMPT)
    (dialogpt,) = estimated_lengths([one], DIALOGPT, SYSTEM_PROMPT)
    assert chatml.prefix == pytest.approx(len(SYSTEM_PROMPT) / 4.6)
    assert dialogpt.prefix == 0
    assert dialogpt.tokens == pytest.approx(300, abs=10)
    assert chatml.tokens == pytest.approx(300 + chatml.prefix, abs=25)
    assert dialogpt.answer_tokens == pytest.approx(200, abs=5)


def test_a_large_set_is_sampled() -> None:
    assert len(estimated_lengths([pair("a", "b")] * (SAMPLE + 1), DIALOGPT, "")) == SAMPLE
