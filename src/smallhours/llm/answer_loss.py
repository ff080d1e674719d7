"""The loss on answers: what training lowers and what the report measures, computed in one place.

Only answer tokens and the end token carry loss. The output head is applied at those positions alone:
with a vocabulary of 49,152 and 60 answer tokens in 130, that saves half of its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from smallhours.domain.errors import DataError
from smallhours.domain.ports import AnswerLoss
from smallhours.domain.records import Example
from smallhours.llm.chat_format import ChatFormat, Segment

# Lengths are rounded up to a multiple of this: a matrix library prepares its kernels per shape.
LENGTH_STEP = 16
# Tokens whose logits are held at a time: 128 rows of 49,152 take 25 MB, which a cache may hold.
HEAD_ROWS = 128


@dataclass(frozen=True)
class Encoded:
    """Token ids of one example; ``learnt[i]`` says that token ``i`` is part of an answer."""

    id: str
    ids: tuple[int, ...]
    learnt: tuple[bool, ...]


@dataclass(frozen=True)
class Batch:
    """Tensors of shape (examples, length); ``targets`` marks tokens to predict from their left."""

    ids: torch.Tensor
    attention: torch.Tensor
    targets: torch.Tensor
    tokens: int


def encode(
    examples: Sequence[Example], tokenizer: Any, chat_format: ChatFormat, system_prompt: str, max_length: int
) -> list[Encoded]:
    """Render and tokenize.

    Raises:
        DataError: naming every example longer than ``max_length`` tokens.
    """
    encoded, problems = [], []
    for example in examples:
        ids, learnt = _tokens(chat_format.segments(example.messages, system_prompt), tokenizer)
        if len(ids) > max_length:
            problems.append(
                f"example {example.id}: {len(ids)} tokens with the system prompt, the limit is {max_length}; "
                "shorten it or raise train.max_length"
            )
        encoded.append(Encoded(example.id, tuple(ids), tuple(learnt)))
    if problems:
        raise DataError(problems)
    return encoded


def _tokens(segments: Sequence[Segment], tokenizer: Any) -> tuple[list[int], list[bool]]:
    """Ids of the whole text, as a server reads it, and which of them end inside a learnt segment.

    A token is told by its last character: some tokenizers leave white space out of a token's place in the
    text, but never beyond its end. Nothing is added (``<s>``): what a format wants stands in its text.
    """
    text = "".join(segment.text for segment in segments)
    marks = [segment.learnt for segment in segments for _ in segment.text]
    found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return found["input_ids"], [end > 0 and marks[end - 1] for _, end in found["offset_mapping"]]


def collate(examples: Sequence[Encoded], pad: int) -> Batch:
    """Pad on the right to one length. Padding is masked by position, so ``pad`` may equal the end token."""
    longest = max(len(e.ids) for e in examples)
    length = -(-longest // LENGTH_STEP) * LENGTH_STEP
    ids = torch.full((len(examples), length), pad)
    attention = torch.zeros(len(examples), length, dtype=torch.long)
    targets = torch.zeros(len(examples), length, dtype=torch.bool)
    for row, example in enumerate(examples):
        n = len(example.ids)
        ids[row, :n] = torch.tensor(example.ids)
        attention[row, :n] = 1
        targets[row, :n] = torch.tensor(example.learnt)
    targets[:, 0] = False
    return Batch(ids, attention, targets, tokens=sum(len(e.ids) for e in examples))


def answer_nll(model: Any, batch: Batch) -> torch.Tensor:
    """Negative log-likelihood (nats) of each target token, row by row in reading order.

    What all rows begin with (the system prompt) is computed once and its keys and values are shared:
    nearly a third of the tokens of a short example. Gradients flow through the shared part, too.
    """
    shared = _shared_prefix(batch)
    hidden = _hidden_states(_decoder(model), batch, shared)
    before_targets = hidden[:, :-1][batch.targets[:, shared + 1 :]]
    return token_nll(before_targets, model.get_output_embeddings(), batch.ids[batch.targets])


def token_nll(hidden: torch.Tensor, head: Any, labels: torch.Tensor) -> torch.Tensor:
    """Negative log-likelihood (nats) of ``labels`` (n) after ``hidden`` (n, width), in float32."""
    if type(head) is torch.nn.Linear and head.bias is None and not head.weight.requires_grad:
        found: torch.Tensor = _FrozenHeadLoss.apply(hidden, head.weight, labels)
        return found
    return cross_entropy(head(hidden).float(), labels, reduction="none")


class _FrozenHeadLoss(torch.autograd.Function):
    """Cross-entropy behind a head that does not learn, in chunks, without keeping a row of the vocabulary.

    The loss of a token depends on its own hidden state alone, so its gradient, ``(softmax - onehot) W``, is
    computed on the way forward, while the probabilities are at hand, and only scaled on the way back.
    """

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        nll = torch.empty(len(labels), dtype=torch.float32)
        wanted = ctx.needs_input_grad[0]
        gradient = torch.empty_like(hidden) if wanted else None
        for start in range(0, len(labels), HEAD_ROWS):
            rows = slice(start, start + HEAD_ROWS)
            own = torch.arange(len(labels[rows])), labels[rows]
            logits = hidden[rows] @ weight.t()
            if gradient is None:
                nll[rows] = cross_entropy(logits.float(), labels[rows], reduction="none")
                continue
            probabilities = torch.softmax(logits, dim=-1, dtype=torch.float32)
            nll[rows] = -probabilities[own].clamp_min(torch.finfo(torch.float32).tiny).log()
            probabilities[own] -= 1.0
            gradient[rows] = probabilities.to(weight.dtype) @ weight
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return nll

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0].unsqueeze(1).to(gradient.dtype), None, None


def _shared_prefix(batch: Batch) -> int:
    """How many leading tokens all rows have in common, none of them next to a target."""
    if len(batch.ids) == 1:
        return 0
    same = (
        (batch.ids == batch.ids[:1]).all(dim=0)
        & ~batch.targets.any(dim=0)
        & batch.attention.bool().all(dim=0)
    )
    return max(0, int(same.long().cumprod(dim=0).sum()) - 1)


def _hidden_states(decoder: Any, batch: Batch, shared: int) -> torch.Tensor:
    """Last hidden states of the tokens from ``shared`` on, shape (examples, length - shared, width)."""
    if not shared:
        found: torch.Tensor = decoder(input_ids=batch.ids, attention_mask=batch.attention).last_hidden_state
        return found
    from transformers import DynamicCache

    rows = len(batch.ids)
    prefix = decoder(
        input_ids=batch.ids[:1, :shared], past_key_values=DynamicCache(), use_cache=True
    ).past_key_values
    cache = DynamicCache()
    for number, layer in enumerate(prefix.layers):
        cache.update(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1), number)
    rest: torch.Tensor = decoder(
        input_ids=batch.ids[:, shared:], attention_mask=batch.attention, past_key_values=cache, use_cache=True
    ).last_hidden_state
    return rest


def _decoder(model: Any) -> Any:
    """The model without its output head, LoRA layers included."""
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    return causal.get_decoder()


@torch.no_grad()
def answer_losses(model: Any, examples: Sequence[Encoded], pad: int, batch_size: int = 8) -> list[AnswerLoss]:
    """One figure per example, in order. Leaves the model in evaluation mode."""
    model.eval()
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    found: dict[int, AnswerLoss] = {}
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        batch = collate([examples[i] for i in rows], pad)
        pieces = torch.split(answer_nll(model, batch), batch.targets.sum(dim=1).tolist())
        for i, piece in zip(rows, pieces, strict=True):
            found[i] = AnswerLoss(id=examples[i].id, nll=float(piece.sum()), tokens=len(piece))
    return [found[i] for i in range(len(examples))]
