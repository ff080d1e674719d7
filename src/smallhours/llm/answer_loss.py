"""The loss on answers: what training lowers and what the report measures, computed in one place.

Only answer tokens and the end token carry loss. The output head is applied at those positions alone:
with a vocabulary of 49,152 and 60 answer tokens in 130, that saves half of its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from smallhours.domain.errors import DataError
from smallhours.domain.ports import AnswerLoss
from smallhours.domain.records import Example
from smallhours.llm.chat_format import ChatFormat, Segment
from smallhours.llm.packing import Layout

# Rows are filled up to a multiple of this: a matrix library prepares its kernels per shape.
ROW_STEP = 32
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
    """Examples packed into one row.

    ``ids`` and ``positions`` have the shape (1, rows). The token ``labels[i]`` is to be predicted from row
    ``before[i]``, example by example; ``counts`` says how many each example has.

    Where several processes share a batch, or it comes in parts, ``tokens`` and ``of_labels`` still count what
    all of it holds: its tokens, the shared beginning once for each example, and its labels.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    layout: Layout
    before: torch.Tensor
    labels: torch.Tensor
    counts: tuple[int, ...]
    tokens: int
    of_labels: int

    def to(self, device: torch.device) -> Batch:
        """The same batch on ``device``."""
        moved = {name: getattr(self, name).to(device) for name in ("ids", "positions", "before", "labels")}
        return replace(self, **moved)


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
                f"example {example.parent or example.id}: {len(ids)} tokens with the system prompt, "
                f"the limit is {max_length}; shorten it, or raise train.max_length (0: as the base allows)"
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
    """Pack examples end to end behind what all of them begin with.

    The row is filled up with an example of ``pad`` tokens that nobody looks at, to a length seen before.
    """
    prefix = _shared_prefix(examples)
    rests = [example.ids[prefix:] for example in examples]
    rows = prefix + sum(len(rest) for rest in rests)
    filling = -rows % ROW_STEP
    lengths = [*map(len, rests), *([filling] if filling else [])]
    ids = [*examples[0].ids[:prefix], *(i for rest in rests for i in rest), *[pad] * filling]
    positions = [*range(prefix), *(prefix + i for length in lengths for i in range(length))]
    before, labels, start = [], [], prefix
    for example in examples:
        for at in range(prefix, len(example.ids)):
            if at and example.learnt[at]:
                # What goes before an example's own first token is the last of the shared ones.
                before.append(start + at - prefix - 1 if at > prefix else prefix - 1)
                labels.append(example.ids[at])
        start += len(example.ids) - prefix
    return Batch(
        torch.tensor([ids]),
        torch.tensor([positions]),
        Layout(prefix, tuple(lengths)),
        torch.tensor(before, dtype=torch.long),
        torch.tensor(labels, dtype=torch.long),
        counts=tuple(sum(example.learnt[1:]) for example in examples),
        tokens=sum(len(example.ids) for example in examples),
        of_labels=len(labels),
    )


def share(examples: Sequence[Encoded], process: int, processes: int) -> list[Encoded]:
    """What one of several processes computes: every ``processes``-th example, for each as many.

    A process that would have one less gets another's, to compute and not to learn from: processes that pass
    weights or gradients to each other must take the same steps.
    """
    own = list(examples[process::processes])
    if len(own) * processes < len(examples):
        own.append(replace(examples[0], learnt=(False,) * len(examples[0].ids)))
    return own


def _shared_prefix(examples: Sequence[Encoded]) -> int:
    """How many leading tokens all examples have in common, none of them learnt; each keeps one of its own."""
    if len(examples) == 1:
        return 0
    most = min(len(example.ids) for example in examples) - 1
    first = examples[0].ids
    for at in range(most):
        if any(example.ids[at] != first[at] or example.learnt[at] for example in examples):
            return at
    return max(0, most)


class AnswerObjective(torch.nn.Module):
    """The model with its loss as the forward pass: what wrappers for many processes hook into."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> torch.Tensor:
        """Negative log-likelihood (nats) of each answer token of the batch, in reading order."""
        return answer_nll(self.model, batch)


def answer_nll(model: Any, batch: Batch) -> torch.Tensor:
    """Negative log-likelihood (nats) of each label of the batch, in order.

    The model must have been loaded with packed attention. What all examples begin with (the system prompt:
    nearly a third of a short example) is computed once; gradients flow through it, too.
    """
    hidden = _decoder(model)(
        input_ids=batch.ids, position_ids=batch.positions, layout=batch.layout, use_cache=False
    ).last_hidden_state[0]
    return token_nll(hidden[batch.before], model.get_output_embeddings(), batch.labels)


@torch.no_grad()
def likeliest_tokens(model: Any, batch: Batch) -> torch.Tensor:
    """The token that the model would have written in the place of each label of the batch, in order."""
    hidden = _decoder(model)(
        input_ids=batch.ids, position_ids=batch.positions, layout=batch.layout, use_cache=False
    ).last_hidden_state[0]
    found: torch.Tensor = model.get_output_embeddings()(hidden[batch.before]).argmax(dim=-1)
    return found


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
        nll = torch.empty(len(labels), dtype=torch.float32, device=hidden.device)
        wanted = ctx.needs_input_grad[0]
        gradient = torch.empty_like(hidden) if wanted else None
        for start in range(0, len(labels), HEAD_ROWS):
            rows = slice(start, start + HEAD_ROWS)
            own = torch.arange(len(labels[rows]), device=labels.device), labels[rows]
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


def _decoder(model: Any) -> Any:
    """The model without its output head, LoRA layers included."""
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    return causal.get_decoder()


@torch.no_grad()
def answer_losses(
    objective: torch.nn.Module, examples: Sequence[Encoded], pad: int, batch_size: int = 8
) -> list[AnswerLoss]:
    """One figure per example, in order. Leaves the objective's model in evaluation mode."""
    objective.eval()
    device = next(objective.parameters()).device
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    found: dict[int, AnswerLoss] = {}
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        batch = collate([examples[i] for i in rows], pad).to(device)
        pieces = torch.split(objective(batch), list(batch.counts))
        for i, piece in zip(rows, pieces, strict=True):
            found[i] = AnswerLoss(id=examples[i].id, nll=float(piece.sum()), tokens=len(piece))
    return [found[i] for i in range(len(examples))]


def surprise_at(objective: torch.nn.Module, texts: Sequence[Sequence[int]], pad: int) -> list[float | None]:
    """Mean negative log-likelihood (nats per token) of each text given nothing but its own words before.

    Texts are token ids without template, system prompt or question. Nothing stands before the first token, so
    it is not counted; a text of fewer than two tokens has no surprise: ``None``.
    """
    told = [Encoded(str(at), tuple(ids), (True,) * len(ids)) for at, ids in enumerate(texts) if len(ids) > 1]
    losses = answer_losses(objective, told, pad)
    found = {int(one.id): one.nll / one.tokens for one in losses}
    return [found.get(at) for at in range(len(texts))]
