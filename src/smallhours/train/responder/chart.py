"""The loss curve and the folds as pictures, from the figures alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smallhours.domain.artifacts import aside


def draw_loss(metrics: Path, target: Path) -> None:
    """Draw ``metrics.jsonl`` (one JSON object a line), as far as it goes, as a PNG of 1200 by 750 pixels."""
    rows = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    steps = [row for row in rows if "loss" in row]
    looks = [row for row in rows if "validation_loss" in row]
    figure, axes = _axes()
    axes.plot(
        [r["step"] for r in steps], [r["loss"] for r in steps], color="#b9c4d0", lw=1, label="each step"
    )
    axes.plot(
        [r["step"] for r in steps],
        [r["smoothed_loss"] for r in steps],
        color="#3d5a80",
        lw=2,
        label="smoothed",
    )
    axes.plot(
        [r["step"] for r in looks],
        [r["validation_loss"] for r in looks],
        color="#c8553d", lw=2, marker="o", label="unseen groups",
    )  # fmt: skip
    best = min(looks, key=lambda r: r["validation_loss"])
    axes.annotate(
        f"best: step {best['step']}, loss {best['validation_loss']:.2f}",
        (best["step"], best["validation_loss"]),
        textcoords="offset points", xytext=(-4, 12), ha="right", color="#c8553d",
    )  # fmt: skip
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("loss on answers (nats per token)")
    axes.set_title("Learning curve", loc="left")
    _save(figure, axes, target)


def draw_folds(results: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Held-out loss of each fold before and after training, as a PNG of 1200 by 750 pixels."""
    figure, axes = _axes()
    places = range(len(results))
    for key, label, color in (
        ("held_out_loss_before", "base", "#b9c4d0"),
        ("held_out_loss_after", "with the adapter", "#c8553d"),
    ):
        values = [one[key] for one in results]
        axes.plot(places, values, "o", color=color, label=label)
        axes.axhline(sum(values) / len(values), color=color, lw=1, ls="--")
    axes.set_xticks(list(places), [f"{one['repeat']}-{one['fold']}" for one in results])
    axes.set_xlabel("repeat-fold")
    axes.set_ylabel("loss on held-out answers (nats per token)")
    axes.set_title("Unseen groups, fold by fold", loc="left")
    _save(figure, axes, target)


def _axes() -> tuple[Any, Any]:
    """An empty figure, eight by five inches, and its axes; no window is opened."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _save(figure: Any, axes: Any, target: Path) -> None:
    """Finish the axes and swap the picture in whole: somebody may be looking at it."""
    axes.margins(y=0.18)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    with aside(target) as partial:
        figure.savefig(partial, format="png")
