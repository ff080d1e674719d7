"""Frozen layers whose way back keeps less: norms and gated activations of the Llama family.

Autograd keeps every intermediate of these formulas, in float32 where the norm computes in float32. Here the
inputs are kept, in the layer's own number type, and the rest is computed again. The weight of a norm gets no
gradient: it is frozen.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import silu


class _RmsNorm(torch.autograd.Function):
    """``x / sqrt(mean(x²) + ε) · weight`` in float32 (Zhang and Sennrich 2019, arXiv:1910.07467, eq. 4)."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        wide = x.float()
        scale = wide.square().mean(-1, keepdim=True).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        return wide.mul(scale).to(x.dtype).mul_(weight)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        x, weight, scale = ctx.saved_tensors
        normed = x.float().mul_(scale)
        d_normed = (gradients[0] * weight).float()
        along = (normed * d_normed).mean(-1, keepdim=True)
        return d_normed.addcmul_(normed, along, value=-1).mul_(scale).to(x.dtype), None, None


class _SwiGlu(torch.autograd.Function):
    """``silu(gate) · up`` (Shazeer 2020, arXiv:2002.05202)."""

    @staticmethod
    def forward(ctx: Any, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(gate, up)
        return silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gate, up = ctx.saved_tensors
        d_gate = torch.ops.aten.silu_backward(gradients[0] * up, gate)
        return d_gate, silu(gate).mul_(gradients[0])


def make_lean(model: Any) -> int:
    """Give every norm and gated block that is of this kind the lean passes; returns how many it changed."""
    changed = 0
    for layer in model.modules():
        if _is_rms_norm(layer):
            layer.forward = _norm_forward(layer)
            changed += 1
        elif _is_gated(layer):
            layer.forward = _gated_forward(layer)
            changed += 1
    return changed


def _is_rms_norm(layer: Any) -> bool:
    """Llama's, Qwen's and Mistral's name their ε so; Gemma's, whose weight counts from one, does not."""
    return type(layer).__name__.endswith("RMSNorm") and hasattr(layer, "variance_epsilon")


def _is_gated(layer: Any) -> bool:
    names = ("gate_proj", "up_proj", "down_proj")
    activation = getattr(layer, "act_fn", None)
    return all(hasattr(layer, name) for name in names) and type(activation).__name__ in (
        "SiLU",
        "SiLUActivation",
    )


def _norm_forward(layer: Any) -> Any:
    def forward(hidden_states: torch.Tensor) -> torch.Tensor:
        return _RmsNorm.apply(hidden_states, layer.weight, layer.variance_epsilon)  # type: ignore[no-any-return, no-untyped-call]

    return forward


def _gated_forward(layer: Any) -> Any:
    def forward(x: torch.Tensor) -> torch.Tensor:
        inner = _SwiGlu.apply(layer.gate_proj(x), layer.up_proj(x))  # type: ignore[no-untyped-call]
        return layer.down_proj(inner)  # type: ignore[no-any-return]

    return forward
