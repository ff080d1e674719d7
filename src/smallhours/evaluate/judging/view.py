"""The judge's part of the page: figures in words, and every fault with its quotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smallhours.evaluate.judging.asking import HARMS, KINDS
from smallhours.evaluate.judging.opinion import JUDGE, Judged, Opinion, kappa_figure
from smallhours.evaluate.metrics import Figure
from smallhours.evaluate.report import environment
from smallhours.evaluate.wording import NAMES, cell, interval, number

OUTCOMES = ("wins", "losses", "ties")
CARE = {
    "first_shown_wins": "The answer shown first is preferred (half is even-handed)",
    "faults_without_quote": "Faults named without a true quotation, all of them dropped",
    "unusable_replies": "Replies that were not in the form asked for, left out",
}


def judge_fragment(opinion: Opinion, judged: Sequence[Judged], questions: Mapping[str, str]) -> str:
    """The section as HTML; everything that comes from data or from the judge is escaped."""
    template = environment().get_template("judge.html")
    return template.render(judged=judge_part(opinion, judged, questions))


def judge_part(opinion: Opinion, judged: Sequence[Judged], questions: Mapping[str, str]) -> dict[str, Any]:
    """Rows and words for the template."""
    figures = opinion.figures
    return {
        "who": f"{opinion.model} at {opinion.host}",
        "seed": opinion.seed,
        "asked": sum(one.asked for one in judged),
        "same": sum(not one.asked for one in judged),
        "columns": ("Better", "Worse", "Alike"),
        "matches": [
            {"title": title_of(name), "cells": [cell(figures[name][key], "share") for key in OUTCOMES]}
            for name in figures
            if "_against_" in name
        ],
        "harmful": [
            {"title": NAMES[name], "figure": cell(figure, "share")}
            for name, figure in figures.get("harmful", {}).items()
        ],
        "care": [
            {"title": title, "figure": cell(figures["care"].get(name), "share")}
            for name, title in CARE.items()
        ],
        "agreements": [
            {
                "title": _between(one.one, one.other) + (f" ({one.kappa.note})" if one.kappa.note else ""),
                "same": f"{one.kappa.agreed} of {one.kappa.n}",
                "kappa": cell(kappa_figure(one), "similarity"),
            }
            for one in opinion.agreements
        ],
        "faults": _faults(judged, questions),
    }


def judge_lines(opinion: Opinion) -> list[str]:
    """The opinion in a few lines, for the terminal: whether to believe it, then what it is."""
    lines = [f"{_between(one.one, one.other)}: {one.kappa}" for one in opinion.agreements]
    for name, found in opinion.figures.items():
        if "_against_" in name:
            better, worse, alike = (number(found[key].value, "share") for key in OUTCOMES)
            between = interval(found["wins"], "share")
            lines.append(
                f"{title_of(name)}: better {better} ({between}; n = {found['wins'].n}), worse {worse}, "
                f"alike {alike}"
            )
    lines += [f"{title}: {_told(opinion.figures['care'].get(name))}" for name, title in CARE.items()]
    return lines


def _told(figure: Figure | None) -> str:
    if figure is None:
        return "not measured"
    return f"{number(figure.value, 'share')} ({interval(figure, 'share')}; n = {figure.n})"


def title_of(name: str) -> str:
    """``tuned_against_base`` in words."""
    later, _, earlier = name.partition("_against_")
    return f"{NAMES[later]} against {NAMES[earlier].lower()}"


def _between(one: str, other: str) -> str:
    return f"The judge and a rater: {other}" if one == JUDGE else f"Two raters: {one}; {other}"


def _faults(judged: Sequence[Judged], questions: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every quoted fault once, the harms first."""
    named = dict.fromkeys((name, one.id, fault) for one in judged for name, fault in one.faults())
    rows = [
        {
            "who": NAMES[name],
            "question": questions.get(at, at),
            "quote": fault.quote,
            "kind": fault.kind.replace("_", " "),
            "means": KINDS[fault.kind],
            "harm": fault.kind in HARMS,
        }
        for name, at, fault in named
    ]
    return sorted(rows, key=lambda row: not row["harm"])
