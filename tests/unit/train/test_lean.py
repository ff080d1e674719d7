"""Lean layers: the numbers of transformers' own, with less kept."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from smallhours.train.responder.lean import make_lean


def model(kind: str, **changes: Any) -> Any:
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        kind, vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=4, max_position_embeddings=64, pad_token_id=0, **changes,
    )  # fmt: skip
    found = AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
    for name, weight in found.named_parameters():
        if "norm" in name:
            weight.copy_(torch.rand_like(weight) + 0.5)
    return found


def passes(found: Any, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    embedded = inputs.clone().requires_grad_()
    logits = found(inputs_embeds=embedded).logits
    logits.logsumexp(-1).sum().backward()
    return logits.detach(), embedded.grad


@pytest.mark.parametrize(("kind", "changed"), [("llama", 7), ("qwen2", 7), ("mistral", 7), ("qwen3", 11)])
def test_forward_and_backward_are_those_of_transformers(kind: str, changed: int) -> None:
    inputs = torch.randn(1, 9, 16)
    found = model(kind)
    plain = passes(found, inputs)
    assert make_lean(found) == changed
    for lean, own in zip(passes(found, inputs), plain, strict=True):
        torch.testing.assert_close(lean, own, rtol=1e-4, atol=1e-6)


def test_layers_of_another_formula_keep_their_own() -> None:
    assert make_lean(model("gemma")) == 0
    assert make_lean(model("llama", hidden_act="gelu")) == 5  # the norms alone
