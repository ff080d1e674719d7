"""Names and row order of a GGUF adapter. That it gives the same text is shown in tests/flow."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from smallhours.domain.errors import RunError
from smallhours.export.adapter_gguf import convert_adapter
from smallhours.export.gguf_layout import permute_rows
from smallhours.llm.catalog import EMBEDDED

LAYER = "base_model.model.model.layers.0.self_attn.q_proj"


def adapter(folder: Path, name: str = LAYER, **config: bool) -> Path:
    (folder / "adapter_config.json").write_text(json.dumps({"lora_alpha": 32, "r": 4, **config}))
    rng = np.random.default_rng(0)
    save_file(
        {
            f"{name}.lora_A.weight": rng.normal(size=(4, 576)).astype(np.float32),
            f"{name}.lora_B.weight": rng.normal(size=(576, 4)).astype(np.float32),
        },
        folder / "adapter_model.safetensors",
    )
    return folder


def test_tensors_get_llamacpps_names(tmp_path: Path) -> None:
    import gguf

    assert convert_adapter(adapter(tmp_path), EMBEDDED.weights(), tmp_path / "a.gguf") == 2
    reader = gguf.GGUFReader(tmp_path / "a.gguf")
    assert sorted(t.name for t in reader.tensors) == [
        "blk.0.attn_q.weight.lora_a",
        "blk.0.attn_q.weight.lora_b",
    ]
    assert reader.get_field("adapter.type").contents() == "lora"
    assert reader.get_field("adapter.lora.alpha").contents() == 32.0


def test_rslora_is_written_as_the_alpha_that_gives_its_scale(tmp_path: Path) -> None:
    """llama.cpp multiplies by alpha / rank; rsLoRA by 32 / sqrt(4) = 16, which is 64 / 4."""
    import gguf

    convert_adapter(adapter(tmp_path, use_rslora=True), EMBEDDED.weights(), tmp_path / "a.gguf")
    reader = gguf.GGUFReader(tmp_path / "a.gguf")
    assert reader.get_field("adapter.lora.alpha").contents() == 64.0


def test_a_dora_adapter_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"DoRA.*train\.dora = false") as caught:
        convert_adapter(adapter(tmp_path, use_dora=True), EMBEDDED.weights(), tmp_path / "a.gguf")
    assert "\n" not in str(caught.value) and not (tmp_path / "a.gguf").exists()


def test_rows_are_taken_in_pairs() -> None:
    rows = np.arange(8)[:, None]
    assert permute_rows(rows, heads=2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_a_layer_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="lm_head"):
        convert_adapter(
            adapter(tmp_path, "base_model.model.lm_head"), EMBEDDED.weights(), tmp_path / "a.gguf"
        )
