"""A tuned model says the same in both engines, whatever its architecture and its LoRA scale."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from smallhours.domain.errors import RunError
from smallhours.export.adapter_gguf import convert_adapter
from smallhours.export.base_gguf import convert_base
from tests.unit.export.conftest import TEXT, Llama, require_same_answers

Made = Callable[[str], Path]
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
TARGETS = {"gpt2": ["c_attn", "c_proj", "c_fc"], "llama": LINEAR, "qwen2": LINEAR, "qwen3": LINEAR}


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


@pytest.mark.parametrize("kind", TARGETS)
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
