"""Sizes by arithmetic equal the sizes of the real classes."""

from __future__ import annotations

from typing import Any

import pytest

from smallhours.domain.errors import InputError
from smallhours.llm.shape import Shape, shape_from_config

ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

EMBEDDED = {
    "model_type": "llama",
    "num_hidden_layers": 30,
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
}
MEDIUM = {
    "model_type": "gpt2",
    "n_layer": 24,
    "n_embd": 1024,
    "n_head": 16,
    "n_positions": 1024,
    "vocab_size": 50257,
}
TINY = {
    "num_hidden_layers": 2,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 100,
    "max_position_embeddings": 64,
}
TINY_GPT2 = {"n_layer": 2, "n_embd": 48, "n_head": 4, "n_positions": 64, "vocab_size": 100}
REAL: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", TINY),
    "llama, biased and untied": ("llama", {**TINY, "attention_bias": True, "mlp_bias": True}),
    "llama, tied": ("llama", {**TINY, "tie_word_embeddings": True}),
    "mistral": ("mistral", TINY),
    "qwen2": ("qwen2", {k: v for k, v in TINY.items() if k != "head_dim"}),
    "qwen3": ("qwen3", TINY),
    "gemma3": ("gemma3_text", TINY),
    "gpt2": ("gpt2", TINY_GPT2),
    "gpt2, narrow": ("gpt2", {**TINY_GPT2, "n_inner": 60, "tie_word_embeddings": False}),
}


def test_the_embedded_base_is_counted_exactly() -> None:
    shape = shape_from_config(EMBEDDED)
    assert shape.parameters == 134_515_008
    assert shape.lora_parameters(16, ALL_LINEAR) == 4_884_480
    assert shape.linear_names == ALL_LINEAR


def test_the_seeds_model_is_counted_exactly() -> None:
    shape = shape_from_config(MEDIUM)
    assert shape.parameters == 354_823_168
    # Per layer 16 × (1024 + 3072) + 16 × (1024 + 1024) + 2 × 16 × (1024 + 4096).
    assert shape.lora_parameters(16, ("c_attn", "c_proj", "c_fc")) == 24 * 262_144
    assert shape.linear_names == ("c_attn", "c_proj", "c_fc")


@pytest.mark.parametrize(("architecture", "config"), REAL.values(), ids=REAL)
def test_transformers_builds_as_many_parameters(architecture: str, config: dict[str, Any]) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    made = AutoConfig.for_model(architecture, **config)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(made)
    shape = shape_from_config({"model_type": architecture, **config})
    assert shape.parameters == sum(p.numel() for p in model.parameters())
    assert shape_from_config(made.to_dict()).parameters == shape.parameters


@pytest.mark.parametrize("name", ["llama", "qwen3", "gpt2"])
def test_peft_trains_as_many(name: str) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    architecture, config = REAL[name]
    shape = shape_from_config({"model_type": architecture, **config})
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **config))
        lora = LoraConfig(r=4, target_modules=list(shape.linear_names), fan_in_fan_out=name == "gpt2")
        tuned = get_peft_model(model, lora)
    trainable, _ = tuned.get_nb_trainable_parameters()
    assert shape.lora_parameters(4, shape.linear_names) == trainable


def test_weights_and_cache_are_counted_in_bytes() -> None:
    shape = shape_from_config(EMBEDDED)
    assert shape.weight_bytes("float32") == 2 * shape.weight_bytes("bfloat16") == 4 * 134_515_008
    assert shape.weight_bytes("q8_0") == 142_922_196
    # Two vectors of three heads of 64 in each of 30 layers, two bytes each.
    assert shape.cache_bytes(1) == 2 * 3 * 64 * 30 * 2
    assert shape.cache_bytes(2048, "float32") == 2 * 2048 * shape.cache_bytes(1)


def test_a_token_costs_one_product_per_matrix_weight_and_more_as_it_looks_back() -> None:
    shape = shape_from_config(EMBEDDED)
    norms = 30 * 2 * 576 + 576
    assert shape.multiplications() == shape.parameters - norms
    assert shape.multiplications(head=False) == shape.multiplications() - 576 * 49152
    assert shape.multiplications(100) - shape.multiplications(0) == 30 * 2 * 576 * 100


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an architecture we do not know": ({"model_type": "bert"}, "'bert' is not known here; known are gemma3"),
    "no architecture at all": ({}, "'None' is not known"),
    "a size that is missing": ({"model_type": "llama"}, "'hidden_size' is None"),
    "a size below one": ({**EMBEDDED, "vocab_size": 0}, "'vocab_size' is 0"),
    "a size in words": ({**MEDIUM, "n_layer": "many"}, "'n_layer' is 'many'"),
    "heads that do not divide": ({**EMBEDDED, "num_attention_heads": 7}, "576 cannot be shared by 7"),
}


@pytest.mark.parametrize(("config", "message"), BAD.values(), ids=BAD)
def test_impossible_sizes_are_named(config: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        shape_from_config(config)


def test_a_shape_can_be_written_down_by_hand() -> None:
    by_hand = Shape("llama", 30, 576, 1536, 9, 3, 64, 49152, 8192)
    assert by_hand == shape_from_config(EMBEDDED)
