"""An answer's surprise, and what is usual: the vetted answers say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from smallhours.evaluate.run import evaluate_run
from smallhours.evaluate.scorer_table import SCORERS
from smallhours.evaluate.scorers import Answer
from smallhours.evaluate.surprise import FEWEST, Surprises, measure_surprise

VETTED = [f"vetted answer {number}" for number in range(20)]


def by_number(texts: Sequence[str]) -> list[float | None]:
    """The number at the end of a text; a text without one is too short."""
    return [float(text.split()[-1]) if text[-1:].isdigit() else None for text in texts]


@pytest.mark.parametrize(("text", "unusual"), [("an answer 3", False), ("an answer 19", True), ("hm", None)])
def test_more_surprising_than_nearly_all_vetted_answers_is_unusual(text: str, unusual: bool | None) -> None:
    assert measure_surprise([text], VETTED, by_number).unusual(text) is unusual


def test_too_few_vetted_answers_say_nothing_of_what_is_usual() -> None:
    found = measure_surprise(["an answer 19"], VETTED[: FEWEST - 1], by_number)
    assert (found.of("an answer 19"), found.unusual("an answer 19")) == (19.0, None)


def test_no_text_is_asked_about_twice() -> None:
    asked: list[str] = []

    def count(texts: Sequence[str]) -> list[float | None]:
        asked.extend(texts)
        return by_number(texts)

    measure_surprise(["a 1", "a 1", "vetted answer 3"], VETTED * 2, count)
    assert len(asked) == len(set(asked)) == 21
    assert measure_surprise([], [], count) == Surprises()


def test_other_languages_and_what_was_not_measured_go_unscored() -> None:
    scores = {scorer.name: scorer.score for scorer in SCORERS}
    measured = Answer("Ruh dich aus.", "en", stopped=False, surprise=4.0, unusual=True)
    assert (scores["surprise"](measured), scores["unusual"](measured)) == (4.0, 1.0)
    for silent in (replace(measured, locale="de"), replace(measured, surprise=None, unusual=None)):
        assert (scores["surprise"](silent), scores["unusual"](silent)) == (None, None)


def test_the_report_holds_every_baselines_surprise(setup: Any) -> None:
    evaluate_run(**setup.arguments)
    folder = setup.arguments["folder"] / "evaluation"
    report = json.loads((folder / "report.json").read_text())
    tuned = "That sounds tiring. Dim the lights, and tell a doctor if it goes on."
    assert report["baselines"]["tuned"]["surprise"]["value"] == pytest.approx(len(tuned) / 10)
    assert report["baselines"]["tuned"]["unusual"]["value"] == 1.0
    assert json.loads((folder / "manifest.json").read_text())["figures"]["vetted"]["surprise"]["n"] == 5
