"""What the manifest of a risk head says about it: shares with intervals, on text held aside by style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smallhours.domain.shares import wilson_interval
from smallhours.safety.classifier import Floats, Thresholds
from smallhours.safety.evidence import Evidence
from smallhours.train.risk.text import Line, Reply
from smallhours.train.risk.weighing import Seen, is_found, is_stopped


def wilson(hits: int, n: int) -> dict[str, float | int]:
    """A share with its 95 % score interval."""
    low, high = wilson_interval(hits, n)
    return {"value": round(hits / n, 4), "n": n, "low": round(low, 4), "high": round(high, 4)}


def figures(
    seen: Sequence[Seen], scores: Floats, limits: Thresholds, scales: Mapping[str, Evidence]
) -> dict[str, Any]:
    """Recall and false alarms of each way and of all joined, by file; text held aside by style."""
    by_head = scores[:, 0] >= limits.elevated
    ways = {
        "rules": np.array([bool(one.rules) for one in seen]),
        "head": by_head,
        "reader": np.array([one.scores.reader > 0 for one in seen]),
        "joined": np.array([is_found(scales, one) for one in seen]),
        "head_high": by_head & (scores[:, 1] >= limits.high),
    }
    crisis = np.array([one.line.is_crisis for one in seen])
    source = np.array([_source(one.line) for one in seen])
    return _shares(ways, source, {"recall": crisis, "false_alarms": ~crisis})


def reply_figures(
    replies: Sequence[Reply], margins: Sequence[float], rules: Sequence[tuple[str, ...]], weights: Evidence
) -> dict[str, Any]:
    """Shares stopped by rules alone and by all joined, of each kind and language; held aside by style."""
    ways = {
        "rules": np.array([bool(said) for said in rules]),
        "joined": np.array([is_stopped(weights, *one) for one in zip(margins, rules, strict=True)]),
    }
    good = np.array([not reply.is_harmful for reply in replies])
    found: dict[str, Any] = {}
    for label in ("kind", "language"):
        names = np.array([f"{label} {getattr(reply, label)}" for reply in replies])
        found |= _shares(ways, names, {"harmful stopped": ~good, "good stopped": good})
    return found


def _shares(
    ways: Mapping[str, NDArray[np.bool_]], names: NDArray[np.str_], sorts: Mapping[str, NDArray[np.bool_]]
) -> dict[str, Any]:
    """For each name and each sort of its rows (``<name>/<sort>``): the share of them that each way hits."""
    found = {}
    for name in sorted(set(names)):
        for what, which in sorts.items():
            rows = which & (names == name)
            if rows.any():
                found[f"{name}/{what}"] = {
                    way: wilson(int(hit[rows].sum()), int(rows.sum())) for way, hit in ways.items()
                }
    return found


def _source(line: Line) -> str:
    """The file of a line; for what is not English, its language, too."""
    file = line.style.split("/")[0]
    return file if line.language == "en" else f"{file} {line.language}"
