"""Number types of a GGUF file: which tensor gets which, and how values become one.

The mixtures (``q4_k_m`` …) follow llama.cpp's own: the head and the more delicate halves of the value and
down projections keep six bits. A K type stores blocks of 256; where a matrix's rows are no multiple of that,
the type that llama.cpp falls back to is taken.
"""

from __future__ import annotations

import ctypes
import math
from functools import cache
from typing import Any, Literal, get_args

import numpy as np

from smallhours.domain.errors import ResourceError

Kind = Literal["f32", "bf16", "f16", "q8_0", "q6_k", "q5_k_m", "q4_k_m"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_MIXTURES = {"q6_k": "Q6_K", "q5_k_m": "Q5_K", "q4_k_m": "Q4_K"}
_FALLBACKS = {"Q6_K": "Q8_0", "Q5_K": "Q5_1", "Q4_K": "Q5_0"}
_FUSED_ATTENTION = {"q5_k_m": "Q6_K", "q4_k_m": "Q5_K"}


def file_type(kind: Kind) -> str:
    """The name of ``kind`` in gguf's ``LlamaFileType``."""
    return "ALL_F32" if kind == "f32" else f"MOSTLY_{kind.upper()}"


def number_type(name: str, shape: tuple[int, ...], kind: Kind, blocks: int, *, is_head: bool) -> Any:
    """The ``GGMLQuantizationType`` of tensor ``name`` of a model of ``blocks`` layers.

    Vectors and learned positions stay float32; ``is_head`` marks the matrix that predicts the next token.
    """
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    if len(shape) == 1 or name == "position_embd.weight":
        return GGMLQuantizationType.F32
    wanted = _wanted(name, kind, blocks, is_head=is_head)
    while shape[-1] % GGML_QUANT_SIZES[GGMLQuantizationType[wanted]][0]:
        wanted = _FALLBACKS.get(wanted, "F16")
    return GGMLQuantizationType[wanted]


def _wanted(name: str, kind: Kind, blocks: int, *, is_head: bool) -> str:
    if kind not in _MIXTURES:
        return kind.upper()
    if is_head:
        return "Q6_K"
    if ".attn_qkv." in name:
        return _FUSED_ATTENTION.get(kind, _MIXTURES[kind])
    if ".attn_v." in name or ".ffn_down." in name:
        return "Q6_K" if _is_delicate(int(name.split(".")[1]), blocks) else _MIXTURES[kind]
    return _MIXTURES[kind]


def _is_delicate(block: int, blocks: int) -> bool:
    """The first and the last eighth of the layers, and every third between them."""
    eighth = blocks // 8
    return block < eighth or block >= 7 * blocks // 8 or (block - eighth) % 3 == 2


def quantize(values: np.ndarray, number_type: Any) -> np.ndarray:
    """Float32 ``values`` as bytes of ``number_type``: by the ``gguf`` package, or else by llama.cpp itself.

    Raises:
        ResourceError: a K type, and the installed llama.cpp does not offer its quantizer.
    """
    from gguf import quants

    try:
        stored: np.ndarray = quants.quantize(values, number_type)
    except NotImplementedError:
        return _quantize_by_llamacpp(values, number_type)
    return stored


def _quantize_by_llamacpp(values: np.ndarray, number_type: Any) -> np.ndarray:
    from gguf import quants

    rows, width = math.prod(values.shape[:-1]), values.shape[-1]
    source = np.ascontiguousarray(values, dtype=np.float32)
    stored = np.empty(quants.quant_shape_to_byte_shape(values.shape, number_type), dtype=np.uint8)
    written = _quantizer()(int(number_type), source.ctypes.data, stored.ctypes.data, 0, rows, width, None)
    if written != stored.nbytes:
        raise ResourceError(f"llama.cpp wrote {written} bytes as {number_type.name}, not {stored.nbytes}")
    return stored


@cache
def _quantizer() -> Any:
    """``ggml_quantize_chunk(type, source, target, first, rows, width, importance)`` of the wheel."""
    from xllamacpp import xllamacpp

    try:
        found = ctypes.CDLL(xllamacpp.__file__).ggml_quantize_chunk
    except (AttributeError, OSError) as error:
        raise ResourceError(
            f"the installed llama.cpp offers no quantizer for K types ({error}); "
            "choose --set export.quantization=q8_0"
        ) from None
    address, number = ctypes.c_void_p, ctypes.c_int64
    found.argtypes = [ctypes.c_int, address, address, number, number, number, address]
    found.restype = ctypes.c_size_t
    return found
