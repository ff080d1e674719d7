"""What counts as the same model, and how it is counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from smallhours.domain.messages import Conversation
from smallhours.domain.settings import ExportSettings
from smallhours.export.parity.probe import Ids, Led, Prompt, Walk, compare
from smallhours.export.parity.record import Parity
from smallhours.export.prover import spread
from tests.unit.export.tiny_run import example

GOOD: dict[str, Any] = {
    "prompts": 50, "same_prompts": 50, "tokens": 400, "agreed": 380, "same_texts": 40, "answers": 8,
    "stopped": 8, "answer_tokens": 500, "reference_loss": 3.0, "loss": 3.01,
}  # fmt: skip
BOUNDS = ExportSettings(min_agreement=0.9, max_loss_change=0.05)


def test_a_near_copy_has_no_faults() -> None:
    assert not list(Parity(**GOOD).faults(BOUNDS))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"same_prompts": 49}, "1 of 50 prompts become other tokens"),
        ({"stopped": 5}, "does not stop 3 of 8 answers"),
        ({"agreed": 359}, r"359 of 400 greedy tokens agree \(89.8%\), 90.0% must"),
        ({"tokens": 0, "agreed": 0}, "0 of 0 greedy tokens"),
        ({"loss": 3.06}, r"moves by \+0.0600 nats per token over 500 tokens of 8 answers, 0.05 is allowed"),
        ({"loss": 2.9}, r"moves by -0.1000"),
        ({"loss": float("nan")}, "moves by"),
    ],
)
def test_each_difference_is_a_fault_of_its_own(change: dict[str, Any], words: str) -> None:
    (fault,) = Parity(**{**GOOD, **change}).faults(BOUNDS)
    assert re.search(words, fault), fault


class Fake:
    """Says what it was told to say."""

    def prompt_ids(self, conversation: Conversation) -> Ids:
        return (1, 2) if conversation.last_user_text == "known" else (9,)

    def greedy(self, prompts: Sequence[Ids], tokens: int) -> list[Ids]:
        return [tuple(range(tokens)) for _ in prompts]

    def lead(self, answers: Sequence[Led]) -> list[Walk]:
        return [Walk((1.0, None, 4.0), stopped=True), Walk((2.0,), stopped=False)]

    def close(self) -> None: ...


class JudgeOfEven:
    def agrees(self, prompts: Sequence[Ids], written: Sequence[Ids]) -> list[list[bool]]:
        return [[number % 2 == 0 for number in ids] for ids in written]


def test_prompts_tokens_ends_and_losses_are_counted_over_what_both_sides_tell() -> None:
    prompts = [Prompt(Conversation.of(text), (1, 2)) for text in ("known", "other")]
    answers = [Led((1,), (5, 6, 7), (1.5, 9.0, 3.5)), Led((1,), (7,), (2.0,))]
    found = compare(Fake(), JudgeOfEven(), prompts, answers, tokens=3)
    assert (found.prompts, found.same_prompts) == (2, 1)
    assert (found.tokens, found.agreed, found.same_texts) == (6, 4, 0)
    assert (found.answers, found.stopped, found.answer_tokens) == (2, 1, 3)
    assert found.reference_loss == pytest.approx(7 / 3) and found.loss == pytest.approx(7 / 3)


@pytest.mark.parametrize(("count", "names"), [(0, ""), (-3, ""), (2, "02"), (4, "0123"), (9, "0123")])
def test_questions_come_from_all_parts_of_the_data(count: int, names: str) -> None:
    listed = [example(str(n), [("why?", "so.")]) for n in range(4)]
    assert "".join(one.id for one in spread(listed, count)) == names
