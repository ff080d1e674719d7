"""The loss on answers, against the plain computation."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from smallhours.domain.errors import DataError
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example
from smallhours.llm.answer_loss import (
    HEAD_ROWS,
    ROW_STEP,
    AnswerObjective,
    Encoded,
    answer_losses,
    answer_nll,
    collate,
    encode,
    token_nll,
)
from smallhours.llm.chat_format import CHATML
from smallhours.llm.packing import ATTENTION

PREFIX = (3, 4, 5, 6, 7)


def example(name: str, question: tuple[int, ...], answer: tuple[int, ...]) -> Encoded:
    ids = PREFIX + question + answer
    return Encoded(name, ids, (False,) * (len(PREFIX) + len(question)) + (True,) * len(answer))


EXAMPLES = [
    example("a", (10, 11, 12), (20, 21, 2)),
    example("b", (13,), (22, 23, 24, 25, 2)),
    example("c", (14, 15), (26, 2)),
]
# DialoGPT knows no system prompt: nothing is shared.
BARE = [Encoded(one.id, one.ids[len(PREFIX) :], one.learnt[len(PREFIX) :]) for one in EXAMPLES]


def plain_nll(model: Any, one: Encoded) -> torch.Tensor:
    """Textbook: whole logits, one example, no padding, transformers' own plainest attention."""
    ids = torch.tensor([one.ids])
    model.set_attn_implementation("eager")
    logprobs = model(ids).logits[0, :-1].log_softmax(-1)
    model.set_attn_implementation(ATTENTION)
    each = -logprobs.gather(1, ids[0, 1:, None])[:, 0]
    return each[torch.tensor(one.learnt[1:])]


@pytest.mark.parametrize("examples", [EXAMPLES, BARE], ids=["shared prefix", "nothing shared"])
def test_batched_loss_is_the_plain_loss(tiny_model: Any, examples: list[Encoded]) -> None:
    batched = answer_nll(tiny_model, collate(examples, pad=2))
    plain = torch.cat([plain_nll(tiny_model, one) for one in examples])
    torch.testing.assert_close(batched, plain, rtol=1e-4, atol=1e-5)


def test_gradients_through_the_shared_prefix_are_the_plain_gradients(tiny_model: Any) -> None:
    def gradient(loss: torch.Tensor) -> torch.Tensor:
        tiny_model.zero_grad()
        loss.backward()
        return torch.cat([p.grad.flatten().clone() for p in tiny_model.parameters()])

    batched = gradient(answer_nll(tiny_model, collate(EXAMPLES, pad=2)).sum())
    plain = gradient(torch.cat([plain_nll(tiny_model, one) for one in EXAMPLES]).sum())
    torch.testing.assert_close(batched, plain, rtol=1e-3, atol=1e-5)


def test_losses_come_back_per_example_in_order(tiny_model: Any) -> None:
    losses = answer_losses(AnswerObjective(tiny_model), EXAMPLES, pad=2, batch_size=2)
    assert [(loss.id, loss.tokens) for loss in losses] == [("a", 3), ("b", 5), ("c", 2)]
    for loss, one in zip(losses, EXAMPLES, strict=True):
        assert loss.nll == pytest.approx(float(plain_nll(tiny_model, one).sum().detach()), rel=1e-4)


def test_padding_with_the_end_token_does_not_unlearn_the_end() -> None:
    batch = collate(EXAMPLES, pad=2)
    assert batch.labels.tolist() == [20, 21, 2, 22, 23, 24, 25, 2, 26, 2]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_lengths_are_rounded_and_tokens_are_counted_without_padding(lengths: list[int]) -> None:
    examples = [Encoded(str(i), (1,) * n, (False,) * n) for i, n in enumerate(lengths)]
    batch = collate(examples, pad=0)
    rows = batch.ids.shape[1]
    assert rows % ROW_STEP == 0 and rows == batch.layout.prefix + sum(batch.layout.lengths)
    assert (
        batch.tokens
        == sum(lengths)
        == len(lengths) * batch.layout.prefix + sum(batch.layout.lengths[: len(lengths)])
    )


def test_a_row_of_one_sequence_is_computed_as_transformers_does(tiny_model: Any) -> None:
    ids = torch.tensor([[5, 6, 7, 8, 9, 10, 11, 12, 13]])
    packed = tiny_model.generate(ids, max_new_tokens=8, do_sample=False)
    tiny_model.set_attn_implementation("eager")
    assert packed.tolist() == tiny_model.generate(ids, max_new_tokens=8, do_sample=False).tolist()


def test_an_overlong_example_is_named() -> None:
    class Words:
        def __call__(self, text: str, **options: bool) -> dict[str, list[Any]]:
            words = [match.span() for match in re.finditer(r"\S+", text)]
            return {"input_ids": [1] * len(words), "offset_mapping": words}

    def pair(name: str, words: int) -> Example:
        user = Message(role=Role.USER, content="q")
        return Example(id=name, messages=(user, Message(role=Role.ASSISTANT, content="w " * words)))

    with pytest.raises(DataError) as caught:
        encode([pair("ok", 3), pair("long", 99), pair("longer", 100)], Words(), CHATML, "Be kind.", 64)
    assert len(caught.value.problems) == 2 and "example long:" in caught.value.problems[0]


def test_every_answer_of_a_conversation_is_learnt_but_those_of_weight_zero() -> None:
    class Characters:
        def __call__(self, text: str, **options: bool) -> dict[str, list[Any]]:
            places = [(i, i + 1) for i in range(len(text))]
            return {"input_ids": [ord(letter) for letter in text], "offset_mapping": places}

    turns = (
        Message(role=Role.USER, content="i cant sleep"),
        Message(role=Role.ASSISTANT, content="That is hard."),
        Message(role=Role.USER, content="i want to end it"),
        Message(role=Role.ASSISTANT, content="Please call 988.", weight=0),
        Message(role=Role.USER, content="i called"),
        Message(role=Role.ASSISTANT, content="I am glad you did."),
    )
    (one,) = encode([Example(id="a", messages=turns)], Characters(), CHATML, "Be kind.", 999)
    batch = collate([one], pad=0)
    learnt = "".join(chr(token) for token in batch.labels.tolist())
    assert learnt == "That is hard.<|im_end|>I am glad you did.<|im_end|>"
    assert "Please call 988." in "".join(chr(token) for token in one.ids), "it is read as context"


class TestBehindAFrozenHead:
    def losses(self, frozen: bool, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(0)
        head = torch.nn.Linear(8, 50, bias=False).requires_grad_(not frozen)
        hidden = torch.randn(rows, 8).requires_grad_()
        labels = torch.arange(rows) % 50
        nll = token_nll(hidden, head, labels)
        (nll * torch.linspace(0.1, 2.0, rows)).sum().backward()
        assert hidden.grad is not None
        return nll.detach(), hidden.grad

    @pytest.mark.parametrize("rows", [1, 7, HEAD_ROWS, 2 * HEAD_ROWS + 3])
    def test_chunks_give_the_plain_loss_and_gradient(self, rows: int) -> None:
        for found, wanted in zip(self.losses(True, rows), self.losses(False, rows), strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)
