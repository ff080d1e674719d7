"""A base small enough to train in a test: real architecture, random weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from smallhours.domain.settings import TrainSettings
from smallhours.llm.answer_loss import Encoded
from smallhours.llm.catalog import EMBEDDED
from smallhours.llm.packing import ATTENTION, register_attention
from smallhours.train.responder.lora import add_lora

EXAMPLES = [Encoded(str(i), (3, 4, i + 5, 20, 21, 2), (False,) * 3 + (True,) * 3) for i in range(8)]


def tiny_base() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, tie_word_embeddings=True, initializer_range=0.5,
    )  # fmt: skip
    register_attention()
    return LlamaForCausalLM._from_config(config, attn_implementation=ATTENTION).requires_grad_(False)


def adapted_by(**options: Any) -> Any:
    """The tiny base with an adapter made by these settings."""
    return add_lora(tiny_base(), EMBEDDED, TrainSettings(**{"rank": 4, "alpha": 8, **options}))


@pytest.fixture
def adapted() -> Any:
    return adapted_by()
