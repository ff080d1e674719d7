"""LoRA in fewer products gives PEFT's outputs and PEFT's gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers.pytorch_utils import Conv1D

from smallhours.train.responder.fused import fuse_lora

peft = pytest.importorskip("peft")


class Two(torch.nn.Module):
    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.first = torch.nn.Linear(12, 20, bias=bias)
        self.second = torch.nn.Linear(20, 6, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.second(torch.tanh(self.first(x)))
        return out


class TwoConv1D(torch.nn.Module):
    """The same of GPT-2's layers, whose weights are (in, out)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Conv1D(20, 12), Conv1D(6, 20)
        for layer in (self.first, self.second):
            torch.nn.init.normal_(layer.weight, std=0.3)
            torch.nn.init.normal_(layer.bias, std=0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.second(torch.tanh(self.first(x)))
        return out


MODELS: dict[str, Callable[[], torch.nn.Module]] = {
    "linear": lambda: Two(bias=False),
    "linear with bias": lambda: Two(bias=True),
    "conv1d": TwoConv1D,
}


def adapted(kind: str, **options: Any) -> Any:
    torch.manual_seed(3)
    config = peft.LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules=["first", "second"],
        fan_in_fan_out=kind == "conv1d",
        **options,
    )
    model = peft.get_peft_model(MODELS[kind](), config)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    return model


def gradients(model: Any, x: torch.Tensor) -> dict[str, torch.Tensor]:
    (model(x) ** 2).mean().backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("rs", [False, True])
def test_outputs_and_gradients_are_those_of_peft(kind: str, rs: bool) -> None:
    plain = adapted(kind, use_rslora=rs)
    fused = copy.deepcopy(plain)
    assert fuse_lora(fused) == 2
    one, other = (torch.randn(3, 5, 12, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    one.requires_grad_(), other.requires_grad_()
    torch.testing.assert_close(fused(other), plain(one), rtol=1e-5, atol=1e-6)
    wanted, found = gradients(plain, one), gradients(fused, other)
    assert wanted.keys() == found.keys() and len(wanted) == 4
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(other.grad, one.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("options", [{"lora_dropout": 0.1}, {"use_dora": True}])
def test_variants_keep_pefts_own_passes(options: dict[str, Any]) -> None:
    assert fuse_lora(adapted("linear with bias", **options)) == 0


@pytest.mark.parametrize("kind", MODELS)
def test_half_precision_is_near_peft_and_keeps_float32_gradients(kind: str) -> None:
    plain = adapted(kind)
    for layer in plain.modules():
        if type(layer) in (torch.nn.Linear, Conv1D) and not layer.weight.requires_grad:
            layer.bfloat16()
    fused = copy.deepcopy(plain)
    fuse_lora(fused)
    x = torch.randn(2, 4, 12, dtype=torch.bfloat16, generator=torch.Generator().manual_seed(1))
    wanted, found = gradients(plain, x), gradients(fused, x)
    assert {gradient.dtype for gradient in found.values()} == {torch.float32}
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, rtol=0.1, atol=0.05 * float(gradient.abs().max()))
