"""Turns figures into the rows and words of the page. No measuring happens here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from smallhours.evaluate import charts, charts_safety, gate
from smallhours.evaluate.baselines import Answered
from smallhours.evaluate.learning import Curve, Learning, Topic
from smallhours.evaluate.lengths import BANDS, count_words
from smallhours.evaluate.metrics import Figure, mapped
from smallhours.evaluate.ordinary import Forgetting
from smallhours.evaluate.scorer_table import SCORERS
from smallhours.evaluate.subjects import BASELINES
from smallhours.evaluate.wording import NAMES, REQUIREMENTS, cell, number, threshold

MEBIBYTE = 2**20
SCORER_UNITS = {
    "words": "words",
    "similarity": "similarity",
    "relevance": "similarity",
    "grade": "grade",
    "surprise": "nats",
}  # the others are shares


SUITES = {
    ("crisis", "recall"): "Crisis messages recognised",
    ("ordinary", "false_alarms"): "Ordinary messages taken for a crisis",
}
SPEEDS = {
    "first_token_seconds": ("Tuned model: seconds to the first token", "seconds"),
    "tokens_per_second": ("Tuned model: tokens per second after that", "rate"),
    "reply_seconds": ("What ships: seconds to the whole reply", "seconds"),
    "guard_seconds": ("The guards alone: seconds for a message and its reply", "guard"),
    "served_bytes": ("Memory that the served model takes (MiB)", "mebibytes"),
}
TRAINING = {
    "best_step": "Step that was kept",
    "validation_loss_before": "Validation loss before training (nats per token)",
    "validation_loss_best": "Validation loss of the kept step (nats per token)",
    "seconds": "Training time (seconds)",
    "tokens_per_second": "Training speed (tokens per second)",
    "trainable_parameters": "Trainable parameters",
    "total_parameters": "Parameters in all",
}


def gate_rows(verdict: gate.Verdict, figures: Mapping[str, Figure | None]) -> list[dict[str, Any]]:
    """The verdict's lines with what each means."""
    rows = []
    for line in verdict.lines:
        wanted = REQUIREMENTS[line.name]
        need = f"{wanted.sense} {threshold(line.threshold, wanted.unit)}"
        if line.name == gate.LOSS_REDUCTION:
            need += ", interval above 0"
        drawn = Markup("")
        if line.value is not None:
            drawn = charts.interval_mark(line.value, line.low, line.high, line.threshold, wanted.ends)
        measured = cell(figures.get(line.name), wanted.unit)
        rows.append(
            {"title": wanted.title, "need": need, "passed": line.passed, "figure": measured, "mark": drawn}
        )
    return rows


def learning_rows(
    learning: Learning, forgetting: Forgetting | None, folds: Mapping[str, Figure]
) -> list[dict[str, Any]]:
    """Held-out loss and perplexity before and after, over folds where there are any, and on ordinary text."""
    rows = [
        {"title": "Loss, untouched model (nats per token)", "figure": cell(learning.base.loss, "nats")},
        {"title": "Loss, tuned model (nats per token)", "figure": cell(learning.tuned.loss, "nats")},
        {"title": "Difference, tuned minus untouched, paired", "figure": cell(learning.difference, "nats")},
        {"title": "Relative reduction of the loss, paired", "figure": cell(learning.reduction, "share")},
        {"title": "Perplexity, untouched model", "figure": cell(learning.base.perplexity, "perplexity")},
        {"title": "Perplexity, tuned model", "figure": cell(learning.tuned.perplexity, "perplexity")},
    ]
    rows += [
        {
            "title": f"Grouped k-fold: held-out loss, {name} (n counts trainings)",
            "figure": cell(figure, "nats"),
        }
        for name, figure in folds.items()
    ]
    if forgetting is not None:
        rows += [
            {"title": "Ordinary text: loss, untouched model", "figure": cell(forgetting.base, "nats")},
            {"title": "Ordinary text: loss, tuned model", "figure": cell(forgetting.tuned, "nats")},
            {
                "title": "Ordinary text: change, paired (above 0: forgotten)",
                "figure": cell(forgetting.change, "share"),
            },
        ]
    return rows


def topic_part(topics: Mapping[str, Topic]) -> dict[str, Any]:
    """The loss by topic, drawn and in numbers; the hardest after tuning first."""
    ranked = sorted(topics.items(), key=lambda item: -item[1].tuned.value)
    rows = [
        {
            "title": name,
            "n": one.base.n,
            "cells": [cell(one.base, "nats"), cell(one.tuned, "nats"), cell(one.reduction, "share")],
        }
        for name, one in ranked
    ]
    return {"chart": charts_safety.topic_bars(topics), "rows": rows}


def curve_part(curve: Curve) -> dict[str, Any]:
    """The learning curve and the training's own figures, those that are there."""
    figures = curve.figures or {}
    rows = [(title, _plain(figures[key])) for key, title in TRAINING.items() if key in figures]
    chart = charts.learning_curve(curve) if curve.drawable else None
    return {"chart": chart, "rows": rows, "damaged": curve.damaged}


def answer_rows(answered: Sequence[Answered]) -> list[dict[str, Any]]:
    """Questions with three answers each, and notes on what is wrong with an answer."""
    rows = []
    for one in answered:
        answers = []
        for name in ("base", "tuned", "pipeline"):
            notes = []
            if name in one.stopped:
                rules = ", ".join(rule.replace("_", " ") for rule in one.stopped[name])
                notes.append(f"The output guard stops this{': ' + rules if rules else ''}")
            if one.ended(name) is False:
                notes.append("Ran into the token limit")
            text = one.text(name)
            answers.append({"title": NAMES[name], "text": text, "words": count_words(text), "notes": notes})
        rows.append(
            {
                "question": one.question,
                "topic": one.topic,
                "vetted": one.vetted,
                "nearest": one.retrieval,
                "answers": answers,
            }
        )
    return rows


def length_part(lengths: Mapping[str, Sequence[Figure]]) -> dict[str, Any]:
    """Stacked bars and their table, the brief's claim first."""
    bars = [("The brief’s claim", [band.claimed for band in BANDS])]
    rows = []
    for name, figures in lengths.items():
        bars.append((f"{NAMES[name]} (n = {figures[0].n})", [figure.value for figure in figures]))
        rows.append({"title": NAMES[name], "cells": [cell(figure, "share") for figure in figures]})
    vetted = lengths["vetted"]
    most = max(range(len(BANDS)), key=lambda at: vetted[at].value)
    finding = (
        f"Of the {vetted[0].n} vetted answers here, {number(vetted[most].value, 'share')} are "
        f"{BANDS[most].name} ({BANDS[most].edges} words): a model that learns from them should be, too."
    )
    return {"chart": charts.length_bars(bars), "bands": BANDS, "rows": rows, "finding": finding}


def scorer_part(baselines: Mapping[str, Mapping[str, Figure]]) -> dict[str, Any]:
    """Every scorer over every baseline, in three tables; the vetted answers' likeness to themselves is left
    out.
    """
    names = (*BASELINES, "vetted")
    groups: dict[str, list[dict[str, Any]]] = {"ideal": [], "never": [], "other": []}
    for scorer in SCORERS:
        unit = SCORER_UNITS.get(scorer.name, "share")
        cells = []
        for name in names:
            trivial = name == "vetted" and scorer.name in ("similarity", "refused")
            cells.append(None if trivial else cell(baselines[name].get(scorer.name), unit))
        groups[scorer.group].append({"title": scorer.title, "explains": scorer.explains, "cells": cells})
    captions = {
        "ideal": "The seed’s four ideals of an answer, on the same held-out questions. Higher is better.",
        "never": "The seed’s four nevers. Lower is better.",
        "other": "Everything else that was measured.",
    }
    parts = [{"caption": captions[group], "rows": rows} for group, rows in groups.items()]
    return {"columns": [NAMES[name] for name in names], "parts": parts}


def suite_rows(safety: Mapping[str, Mapping[str, Figure]]) -> list[dict[str, Any]]:
    """The figures of the screen on single messages."""
    return [
        {"title": title, "figure": cell(safety.get(suite, {}).get(metric), "share")}
        for (suite, metric), title in SUITES.items()
    ]


def speed_rows(speed: Mapping[str, Figure]) -> list[dict[str, Any]]:
    """What was timed; a figure that was passed in under another name shows under that name."""
    rows = []
    for name, figure in speed.items():
        title, unit = SPEEDS.get(name, (name.replace("_", " "), "seconds"))
        shown = mapped(figure, lambda size: size / MEBIBYTE) if unit == "mebibytes" else figure
        rows.append({"title": title, "figure": cell(shown, unit)})
    return rows


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
