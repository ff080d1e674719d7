"""A run's own files become a run of MLflow; a missing package is one clear line."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from smallhours.cli.main import run
from smallhours.domain.errors import ResourceError
from smallhours.evaluate.run import evaluate_run
from smallhours.evaluate.tracking import open_tracker, track_run


@dataclass
class Notebook:
    """Keeps what is written to it, as MLflow would."""

    experiments: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[tuple[str, int], float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    closed: bool = False
    run_id: str = "r1"
    info: Any = None
    experiment_id: str = "e1"

    def get_experiment_by_name(self, name: str) -> Any:
        return self if name in self.experiments else None

    def create_experiment(self, name: str) -> str:
        return self.experiments.setdefault(name, self.experiment_id)

    def create_run(self, experiment_id: str, *, run_name: str) -> Any:
        assert experiment_id == "e1"
        self.info = self
        return self

    def log_param(self, run_id: str, key: str, value: str) -> None:
        self.params[key] = value

    def log_metric(self, run_id: str, key: str, value: float, *, step: int) -> None:
        self.metrics[key, step] = value

    def set_tag(self, run_id: str, key: str, value: str) -> None:
        self.tags[key] = value

    def log_artifact(self, run_id: str, local_path: str) -> None:
        assert Path(local_path).is_file()
        self.files.append(Path(local_path).name)

    def set_terminated(self, run_id: str) -> None:
        self.closed = True


def test_settings_curves_figures_verdict_and_report_are_there(setup: Any) -> None:
    evaluate_run(**setup.arguments)
    kept = Notebook()
    assert track_run(setup.arguments["folder"], kept) == "r1"
    assert kept.params["evaluate.answers"] == "5"
    assert kept.metrics["train.loss", 4] == pytest.approx(2.8)
    assert kept.metrics["train.validation_loss", 8] == 2.6
    assert kept.metrics["safety.crisis.recall", 0] == 1.0
    assert kept.tags == {"verdict": "pass", "weights": "a" * 64}
    assert {"report.html", "README.md"} <= set(kept.files) and kept.closed


def test_a_second_run_joins_the_same_experiment(setup: Any) -> None:
    evaluate_run(**setup.arguments)
    kept = Notebook()
    track_run(setup.arguments["folder"], kept)
    track_run(setup.arguments["folder"], kept)
    assert kept.experiments == {"smallhours": "e1"}


def test_without_the_package_it_is_said_before_any_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ResourceError, match="pip install mlflow-skinny"):
        open_tracker()
    assert run(["evaluate", "nobody", "--mlflow"]) == 3
    assert "mlflow is not installed" in capsys.readouterr().err
