"""Examples end to end in one row, without padding, behind one shared copy of what they all begin with.

A row holds the shared beginning (the system prompt) once and then what is left of each example. Each layer's
products run over the whole row; attention alone looks at one example at a time, so that a row of examples
computes what the examples one by one compute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import torch

from smallhours.domain.errors import InputError

ATTENTION = "packed"


class Span(NamedTuple):
    """Rows ``[start, end)`` of one example, before which the first ``prefix`` rows go."""

    start: int
    end: int
    prefix: int


@dataclass(frozen=True)
class Layout:
    """Where things stand in a row: ``prefix`` shared tokens, then the examples, the first at ``prefix``."""

    prefix: int
    lengths: tuple[int, ...]

    def spans(self) -> Iterator[Span]:
        """The shared beginning, if there is one, and each example."""
        if self.prefix:
            yield Span(0, self.prefix, 0)
        start = self.prefix
        for length in self.lengths:
            yield Span(start, start + length, self.prefix)
            start += length


def register_attention() -> None:
    """Make ``attn_implementation="packed"`` known to transformers."""
    from transformers import AttentionInterface

    AttentionInterface.register(ATTENTION, packed_attention)


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    layout: Layout | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' attention interface: (1, heads, rows, size) in, (1, rows, heads, size) out.

    Without a ``layout`` the row is one sequence, and PyTorch's own attention computes it.

    Raises:
        InputError: the model asks for attention dropout or a soft cap in training.
    """
    if layout is None:
        return _one_sequence(module, query, key, value, scaling, sliding_window)
    if dropout or others.get("softcap"):
        raise InputError(
            "this base's attention has dropout or a soft cap (attention_dropout, attn_logit_softcapping in "
            "its config.json), which cannot be computed here; take another base"
        )
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    out = _PackedAttention.apply(query[0], key[0], value[0], layout, scale, sliding_window)  # type: ignore[no-untyped-call]
    return out.unsqueeze(0), None


def _one_sequence(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float | None,
    window: int | None,
) -> tuple[torch.Tensor, None]:
    """The last rows of a sequence by PyTorch's own attention, keys of earlier ones being kept in a cache."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    length, seen = query.shape[2], key.shape[2]
    plain = length == seen and (window is None or seen <= window)
    mask = None if plain else ~_hidden(length, seen - length, window, query.device)[None, None]
    found: tuple[torch.Tensor, None] = sdpa_attention_forward(
        module, query, key, value, mask, scaling=scaling, is_causal=plain
    )
    return found


class _PackedAttention(torch.autograd.Function):
    """Causal attention, one span at a time; on the way back the weights are computed again, not kept.

    Query heads that share a key head are one longer matrix: no key is ever copied for them.
    Shapes: query (heads, rows, size), key and value (key heads, rows, size); result (rows, heads, size).
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        layout: Layout,
        scale: float,
        window: int | None,
    ) -> torch.Tensor:
        heads, rows, size = query.shape
        out = query.new_empty(rows, heads, size)
        for span in layout.spans():
            weights = _weights(query, key, span, scale, window)
            seen = torch.bmm(weights, _with_prefix(value, span))
            out[span.start : span.end] = seen.view(heads, -1, size).transpose(0, 1)
        ctx.save_for_backward(query, key, value)
        ctx.layout, ctx.scale, ctx.window = layout, scale, window
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[Any, ...]:
        query, key, value = ctx.saved_tensors
        heads, _, size = query.shape
        d_out = gradients[0].transpose(0, 1)
        d_query = torch.empty_like(query)
        d_key, d_value = torch.empty_like(key), torch.empty_like(value)
        for span in ctx.layout.spans():
            weights = _weights(query, key, span, ctx.scale, ctx.window)
            d_seen = _grouped(d_out, span, len(key))
            d_weights = torch.bmm(d_seen, _with_prefix(value, span).transpose(1, 2))
            d_scores = torch.ops.aten._softmax_backward_data(d_weights, weights, -1, weights.dtype)
            d_scores.mul_(ctx.scale)
            own = torch.bmm(d_scores, _with_prefix(key, span))
            d_query[:, span.start : span.end] = own.view(heads, -1, size)
            _give(d_key, span, torch.bmm(d_scores.transpose(1, 2), _grouped(query, span, len(key))))
            _give(d_value, span, torch.bmm(weights.transpose(1, 2), d_seen))
        return d_query, d_key, d_value, None, None, None


def _weights(
    query: torch.Tensor, key: torch.Tensor, span: Span, scale: float, window: int | None
) -> torch.Tensor:
    """How much rows of a span look at rows before: (key heads, group × length, prefix + length)."""
    length = span.end - span.start
    scores = torch.bmm(_grouped(query, span, len(key)), _with_prefix(key, span).transpose(1, 2))
    scores = scores.float().mul_(scale)
    hidden = _hidden(length, span.prefix, window, query.device)
    scores.view(len(key), -1, length, span.prefix + length).masked_fill_(hidden, -torch.inf)
    return torch.softmax(scores, dim=-1).to(query.dtype)


def _grouped(states: torch.Tensor, span: Span, groups: int) -> torch.Tensor:
    """A span of (heads, rows, size) as (groups, heads / groups × length, size)."""
    return states[:, span.start : span.end].reshape(groups, -1, states.shape[-1])


def _with_prefix(states: torch.Tensor, span: Span) -> torch.Tensor:
    """The rows that a span may look at: (heads, prefix + length, size)."""
    own = states[:, span.start : span.end]
    return torch.cat((states[:, : span.prefix], own), dim=1) if span.prefix else own


def _give(total: torch.Tensor, span: Span, gradient: torch.Tensor) -> None:
    """Own rows get their gradient; the shared ones, which came first and got theirs, get more."""
    total[:, span.start : span.end] = gradient[:, span.prefix :]
    if span.prefix:
        total[:, : span.prefix] += gradient[:, : span.prefix]


@lru_cache(maxsize=256)
def _hidden(length: int, prefix: int, window: int | None, device: torch.device) -> torch.Tensor:
    """True where a row must not look, ahead or too far back: (length, prefix + length)."""
    row = torch.arange(length, device=device).unsqueeze(1) + prefix
    column = torch.arange(prefix + length, device=device)
    ahead = column > row
    return ahead if window is None else ahead | (column <= row - window)
