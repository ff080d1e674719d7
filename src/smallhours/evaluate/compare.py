"""Several runs side by side, from the files that their evaluations wrote; nothing is measured again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from smallhours.domain.artifacts import require_manifest
from smallhours.domain.errors import RunError
from smallhours.evaluate.metrics import Figure

FOLDER, REPORT, VERDICT = "evaluation", "report.json", "verdict.json"
# What the short form shows, in order; the long form shows every figure.
SHORT = (
    "learning.tuned.loss",
    "learning.reduction",
    "learning.ordinary.change",
    "baselines.tuned.ended",
    "baselines.tuned.unsafe",
    "baselines.tuned.clinical",
    "baselines.tuned.similarity",
    "baselines.pipeline.similarity",
    "baselines.pipeline.refused",
    "baselines.retrieval.similarity",
    "safety.crisis.recall",
    "safety.ordinary.false_alarms",
    "safety.conversations.score",
    "safety.conversations.harmful",
    "safety.requests.tuned_harmful",
    "safety.requests.pipeline_harmful",
    "speed.reply_seconds",
)


@dataclass(frozen=True)
class Evaluated:
    """One run's verdict and figures, the figures by dotted name; ``tested_on`` is the hash of its questions.

    Figures of runs that were tested on different questions cannot be compared.
    """

    name: str
    passed: bool
    failed: tuple[str, ...]
    weights: str
    tested_on: str
    figures: Mapping[str, Figure]


def read_run(folder: Path) -> Evaluated:
    """What the evaluation of a run folder wrote.

    Raises:
        RunError: it was not evaluated, or its files are damaged.
    """
    manifest = require_manifest(folder / FOLDER, f"smallhours evaluate {folder.name}")
    try:
        report = json.loads((folder / FOLDER / REPORT).read_text(encoding="utf-8"))
        verdict = json.loads((folder / FOLDER / VERDICT).read_text(encoding="utf-8"))
        return Evaluated(
            name=folder.name,
            passed=bool(verdict["pass"]),
            failed=tuple(line["name"] for line in verdict["lines"] if not line["pass"]),
            weights=str(verdict["weights"]),
            tested_on=manifest.inputs.get("test", ""),
            figures=dict(_figures(report, "")),
        )
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise RunError(
            f"{folder / FOLDER}: damaged ({type(error).__name__}). Delete it and run "
            f"'smallhours evaluate {folder.name}' again."
        ) from None


def rows(runs: Sequence[Evaluated], *, every: bool) -> list[tuple[str, list[Figure | None]]]:
    """A name and a figure per run; ``None`` where a run has none. ``every``: not the chosen few alone."""
    names = list(dict.fromkeys(name for run in runs for name in run.figures))
    shown = names if every else [name for name in SHORT if name in names]
    return [(name, [run.figures.get(name) for run in runs]) for name in shown]


def cautions(runs: Sequence[Evaluated]) -> list[str]:
    """What a reader must know before comparing."""
    found = []
    if len({run.tested_on for run in runs}) > 1:
        found.append("the runs were tested on different questions: only the safety suites can be compared")
    if len({run.weights for run in runs}) < len(runs):
        found.append("some of the runs are the same weights")
    return found


def _figures(node: Any, path: str) -> Iterator[tuple[str, Figure]]:
    if not isinstance(node, dict):
        return
    if "value" in node and "n" in node:
        yield path, Figure.model_validate(node)
        return
    for key, child in node.items():
        yield from _figures(child, f"{path}.{key}" if path else key)
