"""A transformers model and its GGUF file are one model; what cannot be written is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from smallhours.domain.errors import RunError
from smallhours.export.base_gguf import convert_base, llama3_factors
from smallhours.export.quantization import KINDS
from tests.unit.export.conftest import CUTS, LLAMA3, TEXT, Llama, change_config, require_same_answers

Made = Callable[[str], Path]


@pytest.mark.parametrize("kind", CUTS)
def test_llamacpp_says_what_transformers_says(made: Made, tmp_path: Path, kind: str) -> None:
    from transformers import AutoModelForCausalLM

    convert_base(made(kind), tmp_path / "base.gguf", kind="f32")
    model = AutoModelForCausalLM.from_pretrained(made(kind), dtype=torch.float32).eval()
    require_same_answers(model, made(kind), Llama(tmp_path / "base.gguf"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_type_loads_and_smaller_ones_are_smaller(made: Made, tmp_path: Path, kind: Any) -> None:
    count = convert_base(made("qwen2"), tmp_path / "base.gguf", kind=kind)
    assert count == 38  # embedding, last norm, and 12 a layer: 7 matrices, 3 biases, 2 norms
    assert Llama(tmp_path / "base.gguf").continue_text(TEXT[0], tokens=2)["text"]
    convert_base(made("qwen2"), tmp_path / "whole.gguf", kind="f32")
    smaller = (tmp_path / "base.gguf").stat().st_size < (tmp_path / "whole.gguf").stat().st_size
    assert smaller == (kind != "f32")


def test_the_end_is_a_control_token_and_ids_without_a_text_are_unused(made: Made, tmp_path: Path) -> None:
    import gguf

    convert_base(made("gpt2"), tmp_path / "base.gguf")
    reader = gguf.GGUFReader(tmp_path / "base.gguf")
    types = reader.get_field("tokenizer.ggml.token_type").contents()
    assert types[0] == gguf.TokenType.CONTROL and types[-1] == gguf.TokenType.UNUSED
    assert reader.get_field("tokenizer.ggml.eos_token_id").contents() == 0
    assert reader.get_field("tokenizer.ggml.pre").contents() == "gpt-2"
    assert not reader.get_field("tokenizer.ggml.add_bos_token").contents()


def test_a_prompt_that_begins_with_the_beginning_gets_no_second_one(made: Made, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    folder = other(made("llama3"), tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"bos_token": "<|begin|>"})
    tokenizer.save_pretrained(folder)
    convert_base(folder, tmp_path / "base.gguf")
    prompt = "<|begin|>i cant sleep"
    wanted = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    assert wanted[0] == tokenizer.bos_token_id
    assert Llama(tmp_path / "base.gguf").continue_text(prompt, 2)["prompt_tokens"] == len(wanted)


def test_llama3s_rotations_are_those_of_transformers() -> None:
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    width, rope = 64, {**LLAMA3, "rope_theta": 500000.0, "original_max_position_embeddings": 8192}
    config = LlamaConfig(hidden_size=4 * width, num_attention_heads=4, rope_parameters=rope)
    wanted, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    plain = 1.0 / 500000.0 ** (np.arange(0, width, 2) / width)
    np.testing.assert_allclose(plain / llama3_factors(rope, width), wanted.numpy(), rtol=1e-5)


def other(folder: Path, tmp_path: Path, **changes: Any) -> Path:
    copied = tmp_path / "model"
    shutil.copytree(folder, copied)
    change_config(copied, **changes)
    return copied


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("gpt2", {"model_type": "opt"}, "architecture 'opt'.*known are: gpt2.*convert_hf_to_gguf"),
        ("gpt2", {"activation_function": "relu"}, "activation relu"),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx"),
        ("llama", {"hidden_act": "relu"}, "activation relu"),
        ("llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}}, "'linear'"),
        ("llama", {"num_hidden_layers": 4}, "weights are missing.*half downloaded"),
        ("gpt2", {"model_type": "no such thing"}, "no model that transformers reads"),
    ],
)
def test_what_llamacpp_would_compute_otherwise_is_refused(
    made: Made, tmp_path: Path, kind: str, changes: dict[str, Any], message: str
) -> None:
    folder = other(made(kind), tmp_path, **changes)
    with pytest.raises(RunError, match=message):
        convert_base(folder, tmp_path / "base.gguf")
    assert not list(tmp_path.glob("base.gguf*"))


def test_weights_that_were_cut_short_are_refused(made: Made, tmp_path: Path) -> None:
    folder = other(made("gpt2"), tmp_path)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(RunError, match="no model that transformers reads"):
        convert_base(folder, tmp_path / "base.gguf")


def test_a_tokenizer_of_another_kind_is_refused(made: Made, tmp_path: Path) -> None:
    from tokenizers import Tokenizer, pre_tokenizers

    folder = other(made("gpt2"), tmp_path)
    cutter = Tokenizer.from_file(str(folder / "tokenizer.json"))
    cutter.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Punctuation(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    cutter.save(str(folder / "tokenizer.json"))
    with pytest.raises(RunError, match=r"Punctuation \+ ByteLevel"):
        convert_base(folder, tmp_path / "base.gguf")
    assert convert_base(folder, tmp_path / "base.gguf", pre_tokenizer="gpt-2") == 40


def test_a_tokenizer_without_an_end_is_refused(made: Made, tmp_path: Path) -> None:
    folder = other(made("gpt2"), tmp_path)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["eos_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(RunError, match="no end token"):
        convert_base(folder, tmp_path / "base.gguf")


def test_a_tokenizer_of_another_model_is_refused(made: Made, tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    folder = other(made("gpt2"), tmp_path)
    cutter = Tokenizer.from_file(str(folder / "tokenizer.json"))
    cutter.add_tokens([f"word{number}" for number in range(50)])
    cutter.save(str(folder / "tokenizer.json"))
    with pytest.raises(RunError, match="the embedding has 400 rows"):
        convert_base(folder, tmp_path / "base.gguf")


def test_weights_too_large_for_float16_are_named(made: Made, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = other(made("gpt2"), tmp_path)
    weights = load_file(folder / "model.safetensors")
    weights["transformer.h.1.mlp.c_fc.weight"][3, 4] = 1e5
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RunError, match=r"blk\.1\.ffn_up.*bf16"):
        convert_base(folder, tmp_path / "base.gguf")
    assert convert_base(folder, tmp_path / "base.gguf", kind="bf16") == 40
