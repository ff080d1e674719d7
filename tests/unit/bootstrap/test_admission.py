"""Without a passing verdict for exactly these weights nobody gets past, but by saying so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smallhours.bootstrap.admission import admit
from smallhours.cli.main import run
from smallhours.domain.artifacts import staged_folder
from smallhours.domain.errors import RefusedError, RunError
from smallhours.domain.settings import Settings


def stage(folder: Path, name: str, text: str) -> None:
    with staged_folder(folder, stage="t", inputs={}, config={}, seed=1, figures={}) as partial:
        (partial / name).write_text(text)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    stage(tmp_path / "mine/adapter", "adapter_model.safetensors", "weights")
    return Settings(name="mine", runs=tmp_path)


def judge(settings: Settings, *, passed: bool, weights: str | None = None) -> None:
    manifest = json.loads((settings.run_folder / "adapter/manifest.json").read_text())
    of = weights or manifest["files"]["adapter_model.safetensors"]
    line = {"name": "tuned_unsafe_share", "pass": passed}
    verdict = {"pass": passed, "weights": of, "policy": "p", "lines": [line]}
    stage(settings.run_folder / "evaluation", "verdict.json", json.dumps(verdict))


def test_a_passing_verdict_opens_without_a_word(settings: Settings) -> None:
    judge(settings, passed=True)
    said: list[str] = []
    assert admit(settings, said.append) is False
    assert admit(settings, said.append, skip=True) is False
    assert said == []


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        ({"passed": False}, "tuned_unsafe_share"),
        ({"passed": True, "weights": "0" * 64}, "other weights"),
    ],
)
def test_a_failed_or_foreign_verdict_refuses_and_can_be_skipped_aloud(
    settings: Settings, verdict: dict[str, object], reason: str
) -> None:
    judge(settings, **verdict)  # type: ignore[arg-type]
    said: list[str] = []
    with pytest.raises(RefusedError, match=reason):
        admit(settings, said.append)
    assert admit(settings, said.append, skip=True) is True
    assert len(said) == 1 and "WARNING" in said[0] and reason in said[0]


def test_what_was_never_measured_is_refused_too(settings: Settings) -> None:
    with pytest.raises(RunError, match="smallhours evaluate"):
        admit(settings, print)
    assert admit(settings, lambda line: None, skip=True) is True


@pytest.mark.parametrize("command", ["export", "serve"])
def test_the_flag_says_what_it_is_for(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "--unsafe-skip-gate" in shown and "For research" in shown
