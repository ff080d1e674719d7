"""What the model learned: held-out loss before and after, and the curve as it happened."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smallhours.domain.artifacts import read_manifest
from smallhours.domain.errors import RunError
from smallhours.domain.messages import Frozen
from smallhours.domain.ports import AnswerLoss
from smallhours.evaluate.metrics import Figure, bootstrap_ratio, mapped, paired_reduction

METRICS = "metrics.jsonl"


class Fit(Frozen):
    """How well a model predicts unseen answers: ``loss`` in nats per token, ``perplexity`` is e^loss."""

    loss: Figure
    perplexity: Figure


class Learning(Frozen):
    """The same answers under both models.

    ``reduction`` is relative (0.1: a tenth of the loss is gone), ``difference`` is after minus before
    in nats per token (below zero is better); both are paired. ``n`` of every figure counts answers;
    ``tokens`` counts what was predicted in them, end tokens included.
    """

    base: Fit
    tuned: Fit
    reduction: Figure
    difference: Figure
    tokens: int


class Topic(Frozen):
    """Loss on the held-out answers of one topic (nats per token), and its paired relative reduction."""

    base: Figure
    tuned: Figure
    reduction: Figure


def measure_learning(
    before: Sequence[AnswerLoss], after: Sequence[AnswerLoss], *, resamples: int, seed: int
) -> Learning:
    """Losses of the untouched and the tuned model over the same answers, with intervals.

    Raises:
        RunError: if the two sides do not cover the same answers and tokens, or a loss is not a number.
    """
    check_losses(before, after)
    tokens = [float(one.tokens) for one in before]
    old, new = [one.nll for one in before], [one.nll for one in after]

    def fit(losses: Sequence[float]) -> Fit:
        loss = bootstrap_ratio(losses, tokens, resamples=resamples, seed=seed)
        return Fit(loss=loss, perplexity=mapped(loss, math.exp))

    changes = [b - a for a, b in zip(old, new, strict=True)]
    return Learning(
        base=fit(old),
        tuned=fit(new),
        reduction=paired_reduction(old, new, resamples=resamples, seed=seed),
        difference=bootstrap_ratio(changes, tokens, resamples=resamples, seed=seed),
        tokens=sum(one.tokens for one in before),
    )


def by_topic(
    topics: Sequence[str],
    before: Sequence[AnswerLoss],
    after: Sequence[AnswerLoss],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Topic]:
    """The losses of each topic, in order of their names; a topic with one answer has no interval."""
    rows: dict[str, list[int]] = {}
    for at, topic in enumerate(topics):
        rows.setdefault(topic, []).append(at)
    found = {}
    for topic, places in sorted(rows.items()):
        tokens = [float(before[at].tokens) for at in places]
        old, new = [before[at].nll for at in places], [after[at].nll for at in places]
        found[topic] = Topic(
            base=bootstrap_ratio(old, tokens, resamples=resamples, seed=seed),
            tuned=bootstrap_ratio(new, tokens, resamples=resamples, seed=seed),
            reduction=paired_reduction(old, new, resamples=resamples, seed=seed),
        )
    return found


def check_losses(before: Sequence[AnswerLoss], after: Sequence[AnswerLoss]) -> None:
    """Raises RunError unless both sides are losses of the same answers and tokens."""
    if not before:
        raise RunError("no held-out answers: the dataset's test split is empty. Raise corpus.test_share.")
    if [(one.id, one.tokens) for one in before] != [(one.id, one.tokens) for one in after]:
        raise RunError(
            "base and tuned losses are not of the same answers and tokens; measure both with one tokenizer."
        )
    for name, losses in (("base", before), ("tuned", after)):
        for one in losses:
            if not math.isfinite(one.nll) or one.nll <= 0 or one.tokens < 1:
                raise RunError(
                    f"{name} loss of '{one.id}' is {one.nll} over {one.tokens} tokens, not a loss: "
                    "the weights may have diverged. Train again with a lower train.learning_rate."
                )


@dataclass(frozen=True)
class Curve:
    """Losses by optimizer step, in nats per token.

    ``kept`` is the step whose weights became the adapter, where the adapter's manifest says so.
    ``figures`` are all the numbers that the manifest holds; ``damaged`` counts unreadable log lines.
    """

    train: tuple[tuple[int, float], ...] = ()
    smoothed: tuple[tuple[int, float], ...] = ()
    validation: tuple[tuple[int, float], ...] = ()
    kept: int | None = None
    figures: Mapping[str, Any] | None = None
    damaged: int = 0

    @property
    def drawable(self) -> bool:
        """Whether there is a line to draw."""
        return len(self.train) + len(self.smoothed) + len(self.validation) > 1


def read_curve(adapter: Path) -> Curve:
    """The training log of an adapter folder; empty where there is none.

    Only logged values are read. Lines that a crash cut short are counted, not repaired.
    """
    manifest = read_manifest(adapter)
    figures = dict(manifest.figures) if manifest else {}
    path = adapter / METRICS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    rows = [_row(line) for line in lines if line.strip()]
    good = [row for row in rows if row is not None]
    kept = figures.get("best_step")
    validation = _series(good, "validation_loss")
    start = _number(figures.get("validation_loss_before"))
    if start is not None and not any(step == 0 for step, _ in validation):
        validation = ((0, start), *validation)
    return Curve(
        train=_series(good, "loss"),
        smoothed=_series(good, "smoothed_loss"),
        validation=validation,
        kept=kept if isinstance(kept, int) else None,
        figures=figures,
        damaged=len(rows) - len(good),
    )


def read_folds(folds: Path) -> dict[str, Figure]:
    """The figures of repeated grouped k-fold, where ``smallhours train RUN --folds`` has written them.

    ``before``, ``after`` and ``reduction`` are held-out losses in nats per token; ``n`` counts trainings.
    """
    manifest = read_manifest(folds)
    figures = manifest.figures if manifest else {}
    return {
        name: Figure.model_validate(figures[f"held_out_loss_{name}"])
        for name in ("before", "after", "reduction")
        if f"held_out_loss_{name}" in figures
    }


def _row(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("step"), int) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _series(rows: Sequence[Mapping[str, Any]], key: str) -> tuple[tuple[int, float], ...]:
    found = ((row["step"], _number(row.get(key))) for row in rows)
    return tuple(sorted((step, value) for step, value in found if value is not None))
