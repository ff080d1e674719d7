"""A finished run as a run of MLflow: what its files hold, nothing measured again.

Where it goes is MLflow's own affair (``MLFLOW_TRACKING_URI``). The report and the model card go along.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from smallhours.domain.artifacts import read_manifest
from smallhours.domain.errors import ResourceError
from smallhours.evaluate.compare import FOLDER, read_run

EXPERIMENT = "smallhours"
ARTEFACTS = ("report.html", "report.json", "verdict.json", "README.md")
LONGEST = 500  # characters of a parameter that every store takes


class Tracker(Protocol):
    """The part of ``mlflow.MlflowClient`` that is used."""

    def get_experiment_by_name(self, name: str) -> Any:
        """The experiment, or None."""
        ...

    def create_experiment(self, name: str) -> str:
        """Its id."""
        ...

    def create_run(self, experiment_id: str, *, run_name: str) -> Any:
        """A run that is open."""
        ...

    def log_param(self, run_id: str, key: str, value: str) -> Any:
        """Write a setting."""
        ...

    def log_metric(self, run_id: str, key: str, value: float, *, step: int) -> Any:
        """Write one point."""
        ...

    def set_tag(self, run_id: str, key: str, value: str) -> None:
        """Write a word about the run."""
        ...

    def log_artifact(self, run_id: str, local_path: str) -> None:
        """Send a file."""
        ...

    def set_terminated(self, run_id: str) -> None:
        """Close the run."""
        ...


def open_tracker() -> Tracker:
    """MLflow's client.

    Raises:
        ResourceError: the package mlflow is not installed.
    """
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise ResourceError(
            "--mlflow: the package mlflow is not installed. Install it with: pip install mlflow-skinny; "
            "or leave --mlflow out"
        ) from None
    client: Tracker = MlflowClient()
    return client


def track_run(folder: Path, tracker: Tracker) -> str:
    """Write an evaluated run folder to MLflow; the id of the run there.

    Raises:
        RunError: the run was not evaluated, or its files are damaged.
    """
    evaluated = read_run(folder)
    known = tracker.get_experiment_by_name(EXPERIMENT)
    experiment = known.experiment_id if known else tracker.create_experiment(EXPERIMENT)
    run: str = tracker.create_run(experiment, run_name=folder.name).info.run_id
    for key, value in _settings(folder):
        tracker.log_param(run, key, value[:LONGEST])
    for step, key, number in _training(folder):
        tracker.log_metric(run, key, number, step=step)
    for name, figure in evaluated.figures.items():
        tracker.log_metric(run, name, figure.value, step=0)
    tracker.set_tag(run, "verdict", "pass" if evaluated.passed else f"fail: {', '.join(evaluated.failed)}")
    tracker.set_tag(run, "weights", evaluated.weights)
    for file in ARTEFACTS:
        tracker.log_artifact(run, str(folder / FOLDER / file))
    tracker.set_terminated(run)
    return run


def _settings(folder: Path) -> Iterator[tuple[str, str]]:
    """The settings of training and evaluation as their manifests have them."""
    for stage, section in (("adapter", "train"), (FOLDER, "")):
        manifest = read_manifest(folder / stage)
        for key, value in (manifest.config if manifest else {}).items():
            if isinstance(value, Mapping):
                yield from ((f"{key}.{name}", str(each)) for name, each in value.items())
            elif section:
                yield f"{section}.{key}", str(value)


def _training(folder: Path) -> Iterator[tuple[int, str, float]]:
    """Step, name and value of all that was logged while training."""
    path = folder / "adapter" / "metrics.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue  # the last line of a run that was cut short
        for key, value in row.items():
            if key != "step" and isinstance(value, int | float) and not isinstance(value, bool):
                yield int(row["step"]), f"train.{key}", float(value)
