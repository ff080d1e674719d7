"""A transformers model as a GGUF file for llama.cpp: hyperparameters, vocabulary, weights.

Architectures: GPT-2 (DialoGPT among them), Llama, Qwen2 and Qwen3, each with a byte-level BPE tokenizer.
Keys are those of the GGUF specification, written through the ``gguf`` package.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from safetensors import SafetensorError

from smallhours.domain.artifacts import explained_disk_errors
from smallhours.domain.errors import RunError
from smallhours.export.gguf_layout import (
    ARCHITECTURES,
    CONV1D_LAYERS,
    REMEDY,
    permute_rows,
    row_heads,
    tensor_names,
)
from smallhours.export.gguf_vocab import add_vocabulary

Kind = Literal["f16", "bf16", "f32", "q8_0"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_F16_MOST = float(np.finfo(np.float16).max)
_GELU = ("gelu_new", "gelu_pytorch_tanh", "gelu_fast")


def convert_base(folder: Path, target: Path, *, kind: Kind = "f16", pre_tokenizer: str | None = None) -> int:
    """Write the model of ``folder`` to ``target`` (GGUF); returns how many tensors it holds.

    Args:
        folder: ``config.json``, weights and tokenizer as transformers reads them; nothing is downloaded.
        kind: number type of the matrices. Vectors and learned positions stay float32; under ``q8_0`` a
            matrix whose rows are no multiple of 32 long is kept in float16.
        pre_tokenizer: llama.cpp's name for how text is cut, where it is not recognized.

    Raises:
        RunError: no readable model, weights that are missing, or an architecture, a position encoding or a
            tokenizer that llama.cpp has no counterpart for here; ``target`` is not written then.
        ResourceError: the disk is full.
    """
    import gguf

    config = _read_config(folder)
    architecture = ARCHITECTURES[config.model_type]
    model, tokenizer = _load(folder)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    writer = gguf.GGUFWriter(partial, architecture)
    try:
        with explained_disk_errors(target):
            writer.add_type(gguf.GGUFType.MODEL)
            writer.add_name(folder.resolve().name)
            writer.add_file_type(getattr(gguf.LlamaFileType, _file_type(kind)))
            _add_hyperparameters(writer, config, folder)
            add_vocabulary(writer, tokenizer, config.vocab_size, folder, pre_tokenizer)
            count = _write_tensors(writer, _tensors(model, config, folder), kind, folder)
            writer.close()
            partial.replace(target)
    finally:
        writer.close()
        partial.unlink(missing_ok=True)
    return count


def _read_config(folder: Path) -> Any:
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise RunError(f"{folder}: no model that transformers reads: {_first_line(error)}") from None
    if config.model_type not in ARCHITECTURES:
        raise RunError(
            f"{folder}: architecture '{config.model_type}' cannot be written as GGUF here; "
            f"known are: {', '.join(ARCHITECTURES)}; {REMEDY}"
        )
    return config


def _load(folder: Path) -> tuple[Any, Any]:
    """Model in its own number type, and tokenizer. Weights that are missing are an error, not random ones."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        model, found = AutoModelForCausalLM.from_pretrained(
            folder, dtype="auto", local_files_only=True, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise RunError(f"{folder}: no model that transformers reads: {_first_line(error)}") from None
    missing = sorted(found["missing_keys"])
    if missing:
        raise RunError(
            f"{folder}: {len(missing)} weights are missing ({missing[0]} …); the folder is half downloaded"
        )
    return model, tokenizer


def _add_hyperparameters(writer: Any, config: Any, folder: Path) -> None:
    _require_known(config, folder)
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    if config.model_type == "gpt2":
        writer.add_feed_forward_length(config.n_inner or 4 * config.hidden_size)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    width = _head_width(config)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])


def _require_known(config: Any, folder: Path) -> None:
    """Refuse what llama.cpp would compute differently without a word."""
    if config.model_type == "gpt2":
        faults = {
            f"activation {config.activation_function}": config.activation_function not in _GELU,
            "scale_attn_by_inverse_layer_idx": config.scale_attn_by_inverse_layer_idx,
            "unscaled attention": not config.scale_attn_weights,
        }
    else:
        rope = config.rope_parameters.get("rope_type", "default")
        scaled = ("default", "llama3") if config.model_type == "llama" else ("default",)
        faults = {
            f"activation {config.hidden_act}": config.hidden_act != "silu",
            f"position encoding '{rope}'": rope not in scaled,
            "sliding attention": "sliding_attention" in (getattr(config, "layer_types", None) or ()),
        }
    for name, present in faults.items():
        if present:
            raise RunError(
                f"{folder}: a {config.model_type} with {name} cannot be written as GGUF here; {REMEDY}"
            )


def _head_width(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


Tensor = tuple[str, tuple[int, ...], Callable[[], np.ndarray]]


def _tensors(model: Any, config: Any, folder: Path) -> Iterator[Tensor]:
    """Name, shape and float32 values of each tensor, in llama.cpp's order of rows."""
    architecture = ARCHITECTURES[config.model_type]
    names = tensor_names(architecture, config.num_hidden_layers)
    heads, kv_heads = config.num_attention_heads, getattr(config, "num_key_value_heads", 0)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        found = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if found is None:
            raise RunError(f"{folder}: tensor {name} has no counterpart in a GGUF file")
        if architecture == "gpt2" and name.endswith(CONV1D_LAYERS):
            weight = weight.t()
        permuted = row_heads(architecture, found, heads, kv_heads)
        yield found, tuple(weight.shape), partial(_values, weight, permuted)
    if architecture == "llama" and config.rope_parameters.get("rope_type") == "llama3":
        factors = llama3_factors(config.rope_parameters, _head_width(config))
        yield "rope_freqs.weight", factors.shape, lambda: factors


def _values(weight: torch.Tensor, heads: int | None) -> np.ndarray:
    values: np.ndarray = weight.float().numpy()
    return np.ascontiguousarray(permute_rows(values, heads) if heads else values)


def llama3_factors(rope: dict[str, Any], width: int) -> np.ndarray:
    """By how much Llama 3 slows each rotation of a head, shape (width / 2,), from 1 to ``factor``.

    Rotations longer than ``original / low_freq_factor`` tokens are slowed by ``factor``, those shorter than
    ``original / high_freq_factor`` not at all, the ones between by interpolation (transformers' ``llama3``).
    """
    factor, original = float(rope["factor"]), float(rope["original_max_position_embeddings"])
    low, high = float(rope["low_freq_factor"]), float(rope["high_freq_factor"])
    wavelengths = 2 * math.pi * rope["rope_theta"] ** (np.arange(0, width, 2, dtype=np.float64) / width)
    smooth = np.clip((original / wavelengths - low) / (high - low), 0.0, 1.0)
    found: np.ndarray = (1.0 / ((1.0 - smooth) / factor + smooth)).astype(np.float32)
    return found


def _write_tensors(writer: Any, tensors: Iterator[Tensor], kind: Kind, folder: Path) -> int:
    """Header first, then one tensor after the other, so that a single one is held beside the model."""
    from gguf import quants

    listed = [(name, _number_type(name, shape, kind), shape, read) for name, shape, read in tensors]
    for name, number_type, shape, _ in listed:
        size = math.prod(quants.quant_shape_to_byte_shape(shape, number_type))
        writer.add_tensor_info(name, shape, np.dtype(np.float32), size, raw_dtype=number_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, number_type, _, read in listed:
        values = read()
        if number_type.name == "F16" and np.abs(values).max(initial=0.0) > _F16_MOST:
            raise RunError(f"{folder}: {name} holds values that float16 cannot; choose kind bf16")
        writer.write_tensor_data(quants.quantize(values, number_type))
    return len(listed)


def _number_type(name: str, shape: tuple[int, ...], kind: Kind) -> Any:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    if len(shape) == 1 or name == "position_embd.weight":
        return GGMLQuantizationType.F32
    wanted = GGMLQuantizationType[kind.upper()]
    return wanted if shape[-1] % GGML_QUANT_SIZES[wanted][0] == 0 else GGMLQuantizationType.F16


def _file_type(kind: Kind) -> str:
    return "ALL_F32" if kind == "f32" else f"MOSTLY_{kind.upper()}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0]
