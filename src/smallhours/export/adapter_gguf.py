"""A PEFT LoRA adapter as a GGUF adapter for llama.cpp.

Tensor names follow llama.cpp's ``convert_lora_to_gguf.py``: ``<tensor of the base>.lora_a`` of shape
(rank, in) and ``.lora_b`` of shape (out, rank), general keys ``general.type = adapter``,
``adapter.type = lora``, ``adapter.lora.alpha``.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from smallhours.domain.errors import RunError

# PEFT's name of a layer -> llama.cpp's, for models of the Llama shape.
LLAMA_LAYERS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_NAME = re.compile(r"base_model\.model\.model\.layers\.(\d+)\.(.+)\.lora_([AB])\.weight")


def convert_adapter(adapter: Path, base_weights: Path, target: Path) -> int:
    """Write ``target`` and return how many tensors it holds.

    Raises:
        RunError: the adapter is a DoRA, or touches a layer or an architecture that has no GGUF name here.
    """
    import gguf

    alpha = _alpha(adapter)
    architecture, heads, kv_heads = _read_base(base_weights)
    if architecture != "llama":
        raise RunError(f"{adapter}: adapters for architecture '{architecture}' cannot be written as GGUF")
    writer = gguf.GGUFWriter(target, architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    tensors = load_file(adapter / "adapter_model.safetensors")
    for name, tensor in sorted(tensors.items()):
        match = _NAME.fullmatch(name)
        if match is None or match[2] not in LLAMA_LAYERS:
            raise RunError(f"{adapter}: tensor {name} has no counterpart in a GGUF adapter")
        layer = LLAMA_LAYERS[match[2]]
        if match[3] == "B" and layer in ("attn_q", "attn_k"):
            tensor = permute_rows(tensor, heads if layer == "attn_q" else kv_heads)
        writer.add_tensor(
            f"blk.{match[1]}.{layer}.weight.lora_{match[3].lower()}",
            np.ascontiguousarray(tensor, dtype=np.float32),
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return len(tensors)


def _alpha(adapter: Path) -> float:
    """The alpha to write down: llama.cpp scales by alpha / rank, rsLoRA by alpha / sqrt(rank)."""
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    if config.get("use_dora"):
        raise RunError(
            f"{adapter}: a DoRA adapter learns the magnitude of rows, which a GGUF adapter cannot hold; "
            "train again with train.dora = false"
        )
    alpha = float(config["lora_alpha"])
    return alpha * math.sqrt(config["r"]) if config.get("use_rslora") else alpha


def permute_rows(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of q and k in the order of llama.cpp, which rotates pairs (2i, 2i+1) and not halves."""
    rows = weight.shape[0]
    halves = weight.reshape(heads, 2, rows // heads // 2, *weight.shape[1:])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def _read_base(weights: Path) -> tuple[str, int, int]:
    """Architecture, attention heads and key-value heads of a GGUF file."""
    import gguf

    reader = gguf.GGUFReader(weights)
    architecture = str(reader.get_field("general.architecture").contents())
    heads = int(reader.get_field(f"{architecture}.attention.head_count").contents())
    kv_field = reader.get_field(f"{architecture}.attention.head_count_kv")
    return architecture, heads, int(kv_field.contents()) if kv_field else heads
