"""Which tensor gets which number type, and that the stored numbers are near the ones given."""

from __future__ import annotations

import numpy as np
import pytest

from smallhours.export.quantization import number_type, quantize


@pytest.mark.parametrize(
    ("name", "shape", "kind", "wanted"),
    [
        ("blk.0.attn_norm.weight", (256,), "q8_0", "F32"),
        ("position_embd.weight", (1024, 256), "q4_k_m", "F32"),
        ("blk.5.attn_q.weight", (256, 256), "q8_0", "Q8_0"),
        ("blk.5.attn_q.weight", (256, 250), "q8_0", "F16"),
        ("blk.5.attn_q.weight", (256, 256), "q4_k_m", "Q4_K"),
        ("blk.5.attn_q.weight", (576, 576), "q4_k_m", "Q5_0"),
        ("blk.5.attn_q.weight", (576, 576), "q5_k_m", "Q5_1"),
        ("blk.5.attn_q.weight", (576, 576), "q6_k", "Q8_0"),
        ("blk.0.ffn_down.weight", (256, 512), "q4_k_m", "Q6_K"),  # first eighth of 24
        ("blk.4.ffn_down.weight", (256, 512), "q4_k_m", "Q4_K"),
        ("blk.5.attn_v.weight", (256, 256), "q4_k_m", "Q6_K"),  # every third
        ("blk.23.attn_v.weight", (256, 256), "q5_k_m", "Q6_K"),  # last eighth
        ("blk.4.attn_qkv.weight", (768, 256), "q4_k_m", "Q5_K"),
    ],
)
def test_types_are_those_of_llamacpps_own_mixtures(
    name: str, shape: tuple[int, ...], kind: str, wanted: str
) -> None:
    assert number_type(name, shape, kind, 24, is_head=False).name == wanted  # type: ignore[arg-type]


def test_the_head_keeps_six_bits() -> None:
    assert number_type("token_embd.weight", (400, 256), "q4_k_m", 24, is_head=True).name == "Q6_K"


@pytest.mark.parametrize(("name", "error"), [("Q8_0", 0.006), ("Q6_K", 0.02), ("Q5_K", 0.04), ("Q4_K", 0.08)])
def test_stored_values_are_near_the_given_ones(name: str, error: float) -> None:
    """Root mean square error of normal values of width 1, by llama.cpp's own arithmetic backwards."""
    from gguf import GGMLQuantizationType, quants

    values = np.random.default_rng(0).normal(size=(8, 512)).astype(np.float32)
    chosen = GGMLQuantizationType[name]
    read = quants.dequantize(quantize(values, chosen), chosen)
    assert read.shape == values.shape
    assert 0.3 * error < np.sqrt(np.mean((read - values) ** 2)) < error
