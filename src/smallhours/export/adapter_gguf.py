"""A PEFT LoRA adapter as a GGUF adapter for llama.cpp.

A GGUF adapter holds ``<tensor of the base>.lora_a`` of shape (rank, in) and ``.lora_b`` of shape (out,
rank), and the general keys ``general.type = adapter``, ``adapter.type = lora`` and ``adapter.lora.alpha``.
PEFT's matrices have these shapes for ``Linear`` and for GPT-2's ``Conv1D`` alike: only the frozen weight
is transposed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from smallhours.domain.errors import RunError
from smallhours.export.gguf_layout import ADAPTED, permute_rows, row_heads, tensor_names

_NAME = re.compile(r"base_model\.model\.(.+)\.lora_([AB])\.weight")


@dataclass(frozen=True)
class _BaseShape:
    """What a GGUF base says about itself."""

    architecture: str
    blocks: int
    heads: int
    kv_heads: int


def convert_adapter(adapter: Path, base_weights: Path, target: Path) -> int:
    """Write ``target`` and return how many tensors it holds.

    Args:
        adapter: a folder in PEFT's format.
        base_weights: the GGUF file of the base that it was trained on.

    Raises:
        RunError: the adapter is a DoRA, touches a layer or an architecture that has no GGUF name here, or
            its scale differs from layer to layer.
    """
    import gguf

    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    base = _read_base(base_weights)
    if base.architecture not in ADAPTED:
        raise RunError(
            f"{adapter}: adapters for architecture '{base.architecture}' cannot be written as GGUF; "
            f"known are: {', '.join(sorted(ADAPTED))}. "
            "Its PEFT folder serves with transformers or vLLM."
        )
    writer = gguf.GGUFWriter(target, base.architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, _alpha(adapter, config))
    tensors = load_file(adapter / "adapter_model.safetensors")
    names = tensor_names(base.architecture, base.blocks)
    for name, tensor in sorted(tensors.items()):
        found, matrix = _target(adapter, names, name)
        heads = row_heads(base.architecture, found, base.heads, base.kv_heads)
        if matrix == "b" and heads:
            tensor = permute_rows(tensor, heads)
        writer.add_tensor(f"{found}.lora_{matrix}", np.ascontiguousarray(tensor, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return len(tensors)


def _alpha(adapter: Path, config: Mapping[str, Any]) -> float:
    """The alpha that makes llama.cpp's factor, alpha / rank, PEFT's.

    rsLoRA's factor is alpha / sqrt(rank) (Kalajdzievski 2023, arXiv:2312.03732).
    """
    if config.get("use_dora"):
        raise RunError(
            f"{adapter}: a DoRA adapter learns the magnitude of rows, which a GGUF adapter cannot hold; "
            "train again with train.dora = false"
        )
    if config.get("alpha_pattern") or config.get("rank_pattern"):
        raise RunError(
            f"{adapter}: its scale differs from layer to layer (alpha_pattern, rank_pattern), "
            "and a GGUF adapter has one; train it with one rank and one alpha"
        )
    stretch = math.sqrt(config["r"]) if config.get("use_rslora") else 1.0
    return float(config["lora_alpha"]) * stretch


def _target(adapter: Path, names: Any, tensor: str) -> tuple[str, str]:
    """llama.cpp's name of the weight that PEFT's ``tensor`` adapts, and which of the two matrices it is."""
    match = _NAME.fullmatch(tensor)
    found = names.get_name(match[1]) if match else None
    if match is None or found is None or not found.startswith("blk."):
        raise RunError(
            f"{adapter}: tensor {tensor} has no counterpart in a GGUF adapter; "
            "train plain LoRA on the layers inside the blocks"
        )
    return f"{found}.weight", match[2].lower()


def _read_base(weights: Path) -> _BaseShape:
    """Architecture, blocks, attention heads and key-value heads of a GGUF file."""
    import gguf

    reader = gguf.GGUFReader(weights)
    architecture = str(reader.get_field("general.architecture").contents())

    def number(key: str) -> int | None:
        field = reader.get_field(f"{architecture}.{key}")
        return int(field.contents()) if field else None

    blocks, heads = number("block_count"), number("attention.head_count")
    if blocks is None or heads is None:
        raise RunError(f"{weights.name}: no language model: block_count or attention.head_count is missing")
    return _BaseShape(architecture, blocks, heads, number("attention.head_count_kv") or heads)
