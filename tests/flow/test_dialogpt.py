"""The seed's recipe on a model of its shape, small and random: it learns, is refused, can talk."""

from __future__ import annotations

import json

import pytest

from scripts.gpt2_shape import make_gpt2_shape
from smallhours.bootstrap.serving import open_assistant
from smallhours.cli.main import run
from smallhours.domain.artifacts import read_manifest
from smallhours.domain.messages import Conversation
from smallhours.domain.settings import Settings, load_settings
from tests.flow.conftest import ROOT

CONFIG = ROOT / "configs" / "dialogpt.toml"
SMALL = {
    "train.max_steps": 40,
    "train.learning_rate": 0.01,
    "generation.max_tokens": 16,
    "evaluate.answers": 2,
    "evaluate.conversations": 1,
    "evaluate.scripts": 8,
    "evaluate.requests": 2,
    "evaluate.resamples": 200,
    "export.prompts": 8,
    "export.answers": 2,
    "export.min_agreement": 0.7,
}


def flags(changes: dict[str, object]) -> list[str]:
    return ["--config", str(CONFIG), *(part for k, v in changes.items() for part in ("--set", f"{k}={v}"))]


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    base = tmp_path_factory.mktemp("bases") / "gpt2-shape"
    make_gpt2_shape(base, layers=2, width=64, vocabulary=2000)
    return {**SMALL, "base": str(base), "runs": str(tmp_path_factory.mktemp("runs"))}


@pytest.fixture(scope="module")
def refused(changes: dict[str, object]) -> tuple[int, Settings]:
    return run(["run", "--no-serve", *flags(changes)]), load_settings(CONFIG, {}, changes)


def test_the_seeds_layers_are_trained_and_the_loss_falls(refused: tuple[int, Settings]) -> None:
    _, settings = refused
    manifest = read_manifest(settings.run_folder / "adapter")
    assert manifest is not None
    figures = manifest.figures
    assert figures["validation_loss_best"] < 0.9 * figures["validation_loss_before"]
    # two layers, rank 16, on c_attn (64, 192), c_proj (64, 64), c_fc (64, 256) and c_proj (256, 64)
    assert figures["trainable_parameters"] == 2 * 16 * (256 + 128 + 320 + 320)
    adapter = json.loads((settings.run_folder / "adapter/adapter_config.json").read_text())
    assert sorted(adapter["target_modules"]) == ["c_attn", "c_fc", "c_proj"] and adapter["fan_in_fan_out"]


def test_the_gate_refuses_a_model_that_only_makes_noise(refused: tuple[int, Settings]) -> None:
    code, settings = refused
    verdict = json.loads((settings.run_folder / "evaluation/verdict.json").read_text())
    failed = {line["name"] for line in verdict["lines"] if not line["pass"]}
    assert code == 1 and not verdict["pass"] and "tuned_ended_share" in failed
    assert not (settings.run_folder / "package").exists()


def test_past_the_gate_it_is_exported_and_talks(
    refused: tuple[int, Settings], changes: dict[str, object]
) -> None:
    _, settings = refused
    assert run(["export", "dialogpt", *flags(changes), "--unsafe-skip-gate"]) == 0
    assert (settings.run_folder / "package/adapter.gguf").stat().st_size > 0
    assistant = open_assistant(settings, unsafe=True)
    ordinary = assistant.reply(Conversation.of("cant sleep again"), policy="generate")
    assert ordinary.text and ordinary.candidates and ordinary.identity and ordinary.identity.adapter
    assert assistant.reply(Conversation.of("i want to kill myself")).source == "crisis"
