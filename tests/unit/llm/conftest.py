"""A language model small enough to train in a test: real architecture, random weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from smallhours.llm.packing import ATTENTION, register_attention


def llama() -> Any:
    """Rotary positions, grouped keys and values."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, tie_word_embeddings=True,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def gpt2() -> Any:
    """Learned positions, Conv1D layers."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=50, n_positions=128, n_embd=16, n_layer=2, n_head=4, bos_token_id=2, eos_token_id=2,
        initializer_range=0.3,
    )  # fmt: skip
    return GPT2LMHeadModel(config)


def mistral() -> Any:
    """Each row sees no further back than six rows."""
    from transformers import MistralConfig, MistralForCausalLM

    config = MistralConfig(
        vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=1, max_position_embeddings=128, sliding_window=6,
    )  # fmt: skip
    return MistralForCausalLM(config)


@pytest.fixture(params=[llama, gpt2, mistral], ids=["llama", "gpt2", "mistral"])
def tiny_model(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    register_attention()
    model = request.param().eval()
    model.set_attn_implementation(ATTENTION)
    return model
