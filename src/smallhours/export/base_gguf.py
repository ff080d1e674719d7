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
from typing import Any

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
from smallhours.export.quantization import Kind, file_type, number_type, quantize

_F16_MOST = float(np.finfo(np.float16).max)
_GELU = ("gelu_new", "gelu_pytorch_tanh", "gelu_fast")


def convert_base(folder: Path, target: Path, *, kind: Kind = "f16", pre_tokenizer: str | None = None) -> int:
    """Write the model of ``folder`` to ``target`` (GGUF); returns how many tensors it holds.

    Args:
        folder: ``config.json``, weights and tokenizer as transformers reads them; nothing is downloaded.
        kind: number type of the matrices (:mod:`smallhours.export.quantization`).
        pre_tokenizer: llama.cpp's name for how text is cut, where it is not recognized.

    Raises:
        RunError: no readable model, weights that are missing, or an architecture, a position encoding or a
            tokenizer that llama.cpp has no counterpart for here; ``target`` is not written then.
        ResourceError: the disk is full.
    """
    _read_config(folder)
    model, tokenizer = _load(folder)
    return write_model(model, tokenizer, target, folder, kind=kind, pre_tokenizer=pre_tokenizer)


def write_model(
    model: Any, tokenizer: Any, target: Path, source: Path, *, kind: Kind, pre_tokenizer: str | None = None
) -> int:
    """Write a transformers ``model`` to ``target`` (GGUF); like :func:`convert_base`.

    ``source``, the folder that the model came from, is named in errors.
    """
    import gguf

    config = model.config
    _require_architecture(config, source)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    writer = gguf.GGUFWriter(partial, ARCHITECTURES[config.model_type])
    try:
        with explained_disk_errors(target):
            writer.add_type(gguf.GGUFType.MODEL)
            writer.add_name(source.resolve().name)
            writer.add_file_type(getattr(gguf.LlamaFileType, file_type(kind)))
            _add_hyperparameters(writer, config, source)
            add_vocabulary(writer, tokenizer, config.vocab_size, source, pre_tokenizer)
            count = _write_tensors(writer, _tensors(model, config, source), kind, config, source)
            writer.close()
            partial.replace(target)
    finally:
        writer.close()
        partial.unlink(missing_ok=True)
    return count


def _read_config(folder: Path) -> None:
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise RunError(f"{folder}: no model that transformers reads: {_first_line(error)}") from None
    _require_architecture(config, folder)


def _require_architecture(config: Any, folder: Path) -> None:
    if config.model_type not in ARCHITECTURES:
        raise RunError(
            f"{folder}: architecture '{config.model_type}' cannot be written as GGUF here; "
            f"known are: {', '.join(ARCHITECTURES)}; {REMEDY}"
        )


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


def _write_tensors(writer: Any, tensors: Iterator[Tensor], kind: Kind, config: Any, folder: Path) -> int:
    """Header first, then one tensor after the other, so that a single one is held beside the model."""
    from gguf import quants

    head = "token_embd.weight" if config.tie_word_embeddings else "output.weight"
    listed = [
        (name, number_type(name, shape, kind, config.num_hidden_layers, is_head=name == head), shape, read)
        for name, shape, read in tensors
    ]
    for name, chosen, shape, _ in listed:
        size = math.prod(quants.quant_shape_to_byte_shape(shape, chosen))
        writer.add_tensor_info(name, shape, np.dtype(np.float32), size, raw_dtype=chosen)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, chosen, _, read in listed:
        values = read()
        if chosen.name == "F16" and np.abs(values).max(initial=0.0) > _F16_MOST:
            raise RunError(f"{folder}: {name} holds values that float16 cannot; choose kind bf16")
        writer.write_tensor_data(quantize(values, chosen))
    return len(listed)


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0]
