"""Nothing is exported without a passing verdict for exactly these weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smallhours.domain.artifacts import staged_folder
from smallhours.domain.errors import RefusedError, RunError
from smallhours.export.run import require_passing_verdict, weights_hash


def stage(run: Path, name: str, files: dict[str, str]) -> None:
    with staged_folder(run / name, stage=name, inputs={}, config={}, seed=0, figures={}) as folder:
        for file, text in files.items():
            (folder / file).write_text(text)


def judged(run: Path, **changes: Any) -> None:
    stage(run, "adapter", {"adapter_model.safetensors": "weights"})
    verdict = {"pass": True, "weights": weights_hash(run), "policy": "p", "lines": [], **changes}
    stage(run, "evaluation", {"verdict.json": json.dumps(verdict)})


def test_a_passing_verdict_opens_the_gate(tmp_path: Path) -> None:
    judged(tmp_path)
    assert require_passing_verdict(tmp_path) is None


def test_a_failing_one_names_its_reasons(tmp_path: Path) -> None:
    judged(tmp_path, **{"pass": False, "lines": [{"name": "crisis_recall", "pass": False}]})
    with pytest.raises(RefusedError, match="crisis_recall"):
        require_passing_verdict(tmp_path)


def test_a_verdict_about_other_weights_does_not_count(tmp_path: Path) -> None:
    judged(tmp_path, weights="0" * 64)
    with pytest.raises(RefusedError, match="other weights"):
        require_passing_verdict(tmp_path)


def test_no_verdict_at_all_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="smallhours evaluate"):
        require_passing_verdict(tmp_path)
