"""Where llama.cpp keeps the layers of the architectures that we write.

Names come from the ``gguf`` package's own table. Two orders differ from transformers': q and k rows of a
Llama, and GPT-2's ``Conv1D``, which keeps its weight as (in, out) where every GGUF tensor is (out, in).
"""

from __future__ import annotations

from typing import Any

import numpy as np

# transformers' model_type -> GGUF's architecture.
ARCHITECTURES = {"gpt2": "gpt2", "llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
# GGUF's architectures whose adapters are written. Gemma's base itself is not, so its GGUF file must come with
# it; so must that of a Mistral, which GGUF calls a llama.
ADAPTED = frozenset({*ARCHITECTURES.values(), "gemma", "gemma2", "gemma3"})
# What else can be done with a base that is not written as GGUF here.
REMEDY = "convert it with llama.cpp's convert_hf_to_gguf.py and put the .gguf file beside its weights"
# GPT-2's layers that are Conv1D and not Linear.
CONV1D_LAYERS = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
# Architectures whose q and k rows llama.cpp rotates in pairs (2i, 2i+1) and not in halves.
_PAIRWISE = frozenset({"llama"})


def tensor_names(architecture: str, blocks: int) -> Any:
    """The ``gguf`` package's map from transformers' names to llama.cpp's, for ``blocks`` layers."""
    import gguf

    found = next(arch for arch, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    return gguf.get_tensor_name_map(found, blocks)


def row_heads(architecture: str, name: str, heads: int, kv_heads: int) -> int | None:
    """Among how many heads the rows of llama.cpp's tensor ``name`` are permuted; ``None``: they are not."""
    if architecture not in _PAIRWISE:
        return None
    if ".attn_q." in name:
        return heads
    return kv_heads if ".attn_k." in name else None


def permute_rows(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of q and k, shape (rows, …), from halves per head (transformers) to pairs (llama.cpp)."""
    rows = weight.shape[0]
    halves = weight.reshape(heads, 2, rows // heads // 2, *weight.shape[1:])
    return halves.swapaxes(1, 2).reshape(weight.shape)
