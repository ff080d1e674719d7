"""What the manifest of a risk head says about it: shares with intervals, on text held aside by style."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from smallhours.domain.messages import Conversation
from smallhours.safety.classifier import Floats, Thresholds
from smallhours.safety.pipeline import INPUT_DETECTORS, SafetyPipeline
from smallhours.train.risk.text import Line

Z95 = 1.959963984540054


def wilson(hits: int, n: int) -> dict[str, float | int]:
    """A share with its 95 % score interval."""
    share, spread = hits / n, Z95**2 / n
    centre = (share + spread / 2) / (1 + spread)
    half = Z95 / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    ends = {"low": max(0.0, centre - half), "high": min(1.0, centre + half)}
    return {"value": round(share, 4), "n": n} | {name: round(end, 4) for name, end in ends.items()}


def figures(lines: Sequence[Line], scores: Floats, limits: Thresholds) -> dict[str, Any]:
    """Recall and false alarms of the rules, the head and both, by file; text held aside by style."""
    rules = SafetyPipeline({k: v for k, v in INPUT_DETECTORS.items() if k != "classifier"})
    by_rules = np.array([rules.screen_input(Conversation.of(line.text)).level.is_crisis for line in lines])
    by_head = scores[:, 0] >= limits.elevated
    high = by_head & (scores[:, 1] >= limits.high)
    crisis = np.array([line.is_crisis for line in lines])
    source = np.array([_source(line) for line in lines])
    ways = {"rules": by_rules, "head": by_head, "joined": by_rules | by_head, "head_high": high}
    found: dict[str, Any] = {}
    for name in sorted(set(source)):
        for what, which in (("recall", crisis), ("false_alarms", ~crisis)):
            rows = which & (source == name)
            if rows.any():
                found[f"{name}/{what}"] = {
                    way: wilson(int(hit[rows].sum()), int(rows.sum())) for way, hit in ways.items()
                }
    return found


def _source(line: Line) -> str:
    """The file of a line; for what is not English, its language, too."""
    file = line.style.split("/")[0]
    return file if line.language == "en" else f"{file} {line.language}"
