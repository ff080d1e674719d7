"""LoRA's forward and backward passes in the fewest products: PEFT's result, without its detours.

PEFT computes the adapter's branch in float32 beside the frozen layer and adds the two, which on a CPU spends
more time on copies and additions than on the branch itself. Here both branches accumulate into one output, in
the layer's own number type; the adapter's master weights and gradients stay in float32.

GPT-2's ``Conv1D`` is a linear layer that keeps its weight as (in, out): its transpose, a view, is ``W``.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.pytorch_utils import Conv1D


class _LoraLinear(torch.autograd.Function):
    """``y = x Wᵀ + s (x Aᵀ) Bᵀ`` with gradients for ``x``, ``A`` and ``B`` (Hu et al. 2021, eq. 3).

    Shapes: ``W`` (out, in), ``A`` (rank, in), ``B`` (out, rank).
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        down: torch.Tensor,
        up: torch.Tensor,
        scaling: float,
    ) -> torch.Tensor:
        rows = x.reshape(-1, x.shape[-1])
        low, high = down.to(x.dtype), (up * scaling).to(x.dtype)
        inner = rows @ low.t()
        y = rows @ weight.t() if bias is None else torch.addmm(bias, rows, weight.t())
        y.addmm_(inner, high.t())
        ctx.save_for_backward(rows, weight, low, high, inner)
        ctx.shape, ctx.scaling = x.shape, scaling
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[Any, ...]:
        rows, weight, low, high, inner = ctx.saved_tensors
        dy = gradients[0].reshape(-1, weight.shape[0])
        d_inner = dy @ high
        dx = None
        if ctx.needs_input_grad[0]:
            dx = (dy @ weight).addmm_(d_inner, low).view(ctx.shape)
        d_down = (d_inner.t() @ rows).float()
        d_up = (dy.t() @ inner).float().mul_(ctx.scaling)
        return dx, None, None, d_down, d_up, None


def fuse_lora(model: Any) -> int:
    """Give every plain LoRA layer of a PEFT model the fused passes; returns how many it changed.

    Layers with dropout, DoRA, several adapters, or a base that is neither ``torch.nn.Linear`` nor
    ``transformers.pytorch_utils.Conv1D`` keep PEFT's own.
    """
    changed = 0
    for layer in model.modules():
        if _is_plain(layer):
            layer.forward = _fused_forward(layer)
            changed += 1
    return changed


def _is_plain(layer: Any) -> bool:
    adapters = getattr(layer, "active_adapters", None)
    if not hasattr(layer, "lora_A") or not hasattr(layer, "base_layer") or len(adapters or ()) != 1:
        return False
    (name,) = layer.active_adapters
    return (
        type(layer.base_layer) in (torch.nn.Linear, Conv1D)
        and name in layer.lora_A
        and not layer.lora_variant.get(name)
        and not layer.lora_bias.get(name)
        and isinstance(layer.lora_dropout[name], torch.nn.Identity)
    )


def _fused_forward(layer: Any) -> Any:
    name = layer.active_adapters[0]
    base, down, up = layer.base_layer, layer.lora_A[name], layer.lora_B[name]
    scaling = layer.scaling[name]
    transposed = isinstance(base, Conv1D)

    def forward(x: torch.Tensor) -> torch.Tensor:
        weight = base.weight.t() if transposed else base.weight
        return _LoraLinear.apply(x, weight, base.bias, down.weight, up.weight, scaling)  # type: ignore[no-any-return, no-untyped-call]

    return forward
