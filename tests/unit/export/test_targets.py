"""A run becomes what other programs load, and each target is shown to be the model that was evaluated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smallhours.domain.artifacts import hash_file, read_manifest
from smallhours.domain.errors import RefusedError
from smallhours.domain.settings import Settings
from smallhours.export.modelfile import Modelfile
from smallhours.export.run import export_package
from smallhours.export.source import WEIGHTS
from smallhours.export.targets import TARGETS
from smallhours.llm.chat_format import chat_format
from tests.unit.export.tiny_run import SAID, NoVectors, finished_run, judge

KINDS = {
    "gpt2": "dialogpt: turns and their end",
    "llama": "llama 3: begins with <s>, trims, writes the date",
    "qwen2": "chatml with a prompt of its own",
    "qwen3": "qwen 3: the last answer begins with an empty thought",
}


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLHOURS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A run that is exported to everything."""
    settings = finished_run(tmp_path_factory.mktemp("llama"), "llama", KINDS["llama"])
    export(settings, *TARGETS)
    return settings


def export(settings: Settings, *targets: str) -> list[str]:
    """What was said on the way."""
    said: list[str] = []
    export_package(settings, NoVectors(), said.append, targets)
    return said


def parity(settings: Settings) -> dict[str, Any]:
    manifest = read_manifest(settings.run_folder / "package")
    assert manifest is not None
    found: dict[str, Any] = manifest.figures["parity"]
    return found


def require_the_same_model(settings: Settings) -> None:
    """Nothing is rounded here, so the exported models differ in the last digits alone."""
    figures = parity(settings)
    assert set(figures) == {"adapter.gguf", *TARGETS}
    for name, found in figures.items():
        assert found["same_prompts"] == found["prompts"] == 5, name
        assert found["stopped"] == found["answers"] == 3, name
        assert found["agreed"] >= 0.95 * found["tokens"] > 0, name
        assert found["loss"] == pytest.approx(found["reference_loss"], abs=0.01), name


def test_every_target_of_a_llama_is_the_evaluated_model(llama: Settings) -> None:
    require_the_same_model(llama)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "llama"])
def test_every_target_of_another_architecture_is_the_evaluated_model(tmp_path: Path, kind: str) -> None:
    settings = finished_run(tmp_path, kind, KINDS[kind])
    export(settings, *TARGETS)
    require_the_same_model(settings)


def test_the_adapter_is_exported_as_it_was_trained(llama: Settings) -> None:
    run = llama.run_folder
    for name in (WEIGHTS, "adapter_config.json"):
        assert hash_file(run / "package/peft" / name) == hash_file(run / "adapter" / name)


def test_every_folder_says_that_the_safety_layer_is_not_inside(llama: Settings) -> None:
    for name in TARGETS:
        assert "NOT inside" in (llama.run_folder / "package" / name / "README.md").read_text()
    assert "NOT inside" in (llama.run_folder / "package/ollama/Modelfile").read_text()


def test_the_modelfile_names_weights_prompt_and_end(llama: Settings) -> None:
    folder = llama.run_folder / "package/ollama"
    written = Modelfile.read((folder / "Modelfile").read_text())
    assert (folder / written.weights).is_file()
    assert written.system == llama.train.system_prompt and written.stop == ("<|im_end|>",)


PLAIN = """
import json, sys
sys.modules["smallhours"] = None  # importing it fails
from pathlib import Path
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

package, base = Path(sys.argv[1]), sys.argv[2]
adapted = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), package / "peft")
models = {"peft": adapted, "merged": AutoModelForCausalLM.from_pretrained(package / "merged")}
found = {}
for name, model in models.items():
    tokenizer = AutoTokenizer.from_pretrained(package / name)
    turns = [{"role": "user", "content": sys.argv[3]}]
    asked = tokenizer.apply_chat_template(
        turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    written = model.generate(**asked, max_new_tokens=12, do_sample=False, eos_token_id=tokenizer.eos_token_id)
    found[name] = [tokenizer.decode(asked["input_ids"][0]), written[0].tolist()]
print(json.dumps(found))
"""


def test_adapter_and_merged_model_load_without_smallhours(llama: Settings) -> None:
    package = llama.run_folder / "package"
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, str(package), llama.base, SAID[0]],
        capture_output=True, text=True, check=True, cwd=package,
    )  # fmt: skip
    found = json.loads(done.stdout)
    manifest = read_manifest(package)
    assert manifest is not None
    form = chat_format(manifest.config["chat_format"])
    from smallhours.domain.messages import Conversation

    prompt = form.prompt(Conversation.of(SAID[0]), llama.train.system_prompt)
    assert found["peft"] == found["merged"] and found["peft"][0] == prompt


def test_a_second_export_does_nothing_and_a_new_target_joins_the_others(tmp_path: Path) -> None:
    settings = finished_run(tmp_path, "gpt2", KINDS["gpt2"])
    export(settings)
    assert not any((settings.run_folder / "package" / name).exists() for name in TARGETS)
    export(settings, "peft")
    before = (settings.run_folder / "package/adapter.gguf").stat()
    assert export(settings, "peft") == ["package: up to date"] and export(settings) == ["package: up to date"]
    export(settings, "merged")
    after = (settings.run_folder / "package/adapter.gguf").stat()
    assert set(parity(settings)) == {"adapter.gguf", "peft", "merged"}
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns), "made again"
    assert not list(settings.run_folder.glob("package.*"))


def test_a_target_that_got_worse_is_not_written_and_the_others_are(tmp_path: Path) -> None:
    """Four bits are too few for this model; the person hears by how much."""
    strict = {"export.quantization": "q4_k_m", "export.min_agreement": 0.99, "export.max_loss_change": 0.005}
    settings = finished_run(tmp_path, "qwen3", KINDS["qwen3"], **strict)
    with pytest.raises(RefusedError, match=r"gguf: not written.*nats per token over \d+ tokens") as caught:
        export(settings, "gguf", "merged")
    assert caught.value.exit_code == 1 and "export.max_loss_change" in str(caught.value)
    package = settings.run_folder / "package"
    assert set(parity(settings)) == {"adapter.gguf", "merged"}
    assert (package / "merged/model.safetensors").is_file() and not (package / "gguf").exists()


@pytest.mark.parametrize("target", TARGETS)
def test_no_target_is_written_without_a_passing_verdict(
    tmp_path_factory: pytest.TempPathFactory, llama: Settings, target: str
) -> None:
    judge(llama, passed=False)
    before = (llama.run_folder / "package/manifest.json").read_text()
    try:
        with pytest.raises(RefusedError, match="crisis_recall"):
            export(llama, target)
    finally:
        judge(llama)
    assert (llama.run_folder / "package/manifest.json").read_text() == before


def test_weights_that_were_changed_after_training_are_not_exported(tmp_path: Path) -> None:
    settings = finished_run(tmp_path, "gpt2", KINDS["gpt2"])
    weights = settings.run_folder / "adapter" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(RefusedError, match="changed after training"):
        export(settings, "peft")
    assert not (settings.run_folder / "package").exists()
