"""A tuned model says the same in both engines, whatever its architecture and its LoRA scale."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from smallhours.domain.errors import RunError
from smallhours.export.adapter_gguf import convert_adapter
from smallhours.export.base_gguf import convert_base
from smallhours.export.gguf_layout import tensor_names
from smallhours.export.gguf_vocab import add_vocabulary
from tests.unit.export.conftest import (
    TEXT,
    VOCABULARY,
    Llama,
    require_same_answers,
    tokenizer,
    write_whole_characters,
)

Made = Callable[[str], Path]
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
TARGETS = {
    "gpt2": ["c_attn", "c_proj", "c_fc"],
    "llama": LINEAR,
    "qwen2": LINEAR,
    "qwen3": LINEAR,
    "gemma3": LINEAR,
}


def tuned(folder: Path, kind: str, **options: Any) -> Any:
    """The model with an adapter loud enough to change what it says."""
    import peft
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    config = peft.LoraConfig(
        r=4, lora_alpha=6, target_modules=TARGETS[kind], fan_in_fan_out=kind == "gpt2",
        task_type="CAUSAL_LM", **options,
    )  # fmt: skip
    torch.manual_seed(2)
    model = peft.get_peft_model(base, config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.normal_(std=0.2)
    return model.eval()


@pytest.mark.parametrize("kind", ["gpt2", "llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("rs", [False, True], ids=["lora", "rslora"])
def test_the_tuned_text_is_the_same_in_both_engines(made: Made, tmp_path: Path, kind: str, rs: bool) -> None:
    model = tuned(made(kind), kind, use_rslora=rs)
    model.save_pretrained(tmp_path)
    base, adapter = tmp_path / "base.gguf", tmp_path / "adapter.gguf"
    convert_base(made(kind), base, kind="f32")
    tensors = convert_adapter(tmp_path, base, adapter)
    assert tensors == 3 * 2 * {"gpt2": 4}.get(kind, 7)  # layers, matrices A and B, adapted matrices
    llama = Llama(base, adapter)
    require_same_answers(model, made(kind), llama)
    plain = Llama(base)
    changed = [plain.continue_text(text, 6)["text"] != llama.continue_text(text, 6)["text"] for text in TEXT]
    assert any(changed), "the adapter must change what the base says, or this test shows nothing"


def write_gemma3(model: Any, cutter: Any, target: Path) -> None:
    """A base that comes as GGUF from elsewhere, written as llama.cpp's own converter does."""
    import gguf

    config = model.config
    writer = gguf.GGUFWriter(target, "gemma3")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_sliding_window(config.sliding_window)
    writer.add_rope_freq_base(1_000_000.0)
    add_vocabulary(writer, cutter, config.vocab_size, target, "gpt-2")
    names = tensor_names("gemma3", config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        if name != "lm_head.weight":
            shift = 1.0 if "norm" in name else 0.0  # Gemma's norms multiply by 1 + weight
            writer.add_tensor(
                names.get_name(name, try_suffixes=(".weight",)), weight.numpy() + np.float32(shift)
            )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_an_adapter_for_a_gemma_that_comes_as_gguf(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, Gemma3TextConfig

    torch.manual_seed(1)
    config = Gemma3TextConfig(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=96, num_hidden_layers=3, head_dim=16,
        num_attention_heads=4, num_key_value_heads=2, query_pre_attn_scalar=16, max_position_embeddings=256,
        initializer_range=0.2, sliding_window=512, bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    base, cutter = AutoModelForCausalLM.from_config(config), tokenizer("gpt-2")
    write_whole_characters(base, cutter)
    base.save_pretrained(tmp_path)
    cutter.save_pretrained(tmp_path)
    write_gemma3(base, cutter, tmp_path / "base.gguf")
    model = tuned(tmp_path, "gemma3")
    model.save_pretrained(tmp_path)
    assert convert_adapter(tmp_path, tmp_path / "base.gguf", tmp_path / "adapter.gguf") == 3 * 2 * 7
    require_same_answers(model, tmp_path, Llama(tmp_path / "base.gguf", tmp_path / "adapter.gguf"))


def test_gpt2s_layers_have_llamacpps_names_and_shapes(made: Made, tmp_path: Path) -> None:
    import gguf

    tuned(made("gpt2"), "gpt2").save_pretrained(tmp_path)
    convert_base(made("gpt2"), tmp_path / "base.gguf")
    convert_adapter(tmp_path, tmp_path / "base.gguf", tmp_path / "adapter.gguf")
    shapes = {
        t.name: tuple(reversed(t.shape.tolist())) for t in gguf.GGUFReader(tmp_path / "adapter.gguf").tensors
    }
    ends = {"attn_qkv": (192, 64), "attn_output": (64, 64), "ffn_up": (256, 64), "ffn_down": (64, 256)}
    for layer, (out, into) in ends.items():
        assert shapes[f"blk.2.{layer}.weight.lora_a"] == (4, into)
        assert shapes[f"blk.2.{layer}.weight.lora_b"] == (out, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"alpha_pattern": {"c_fc": 12}}, "alpha_pattern"), ({"use_dora": True}, "DoRA adapter")],
)
def test_a_variant_that_gguf_has_no_place_for_is_refused(
    made: Made, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    tuned(made("gpt2"), "gpt2", **options).save_pretrained(tmp_path)
    convert_base(made("gpt2"), tmp_path / "base.gguf")
    with pytest.raises(RunError, match=message):
        convert_adapter(tmp_path, tmp_path / "base.gguf", tmp_path / "adapter.gguf")
