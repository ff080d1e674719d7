"""The four questions are answered from the figures: yes, no, or that it cannot be told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smallhours.evaluate.run import evaluate_run
from smallhours.evaluate.subjects import Served


@pytest.fixture
def answers(setup: Any) -> Callable[..., dict[str, str]]:
    """Question -> what the page answers in a word or two, for a run that differs in something."""

    def ask(**changes: Any) -> dict[str, str]:
        arguments = setup.but(**changes)
        evaluate_run(**arguments)
        page = (Path(arguments["folder"]) / "evaluation" / "report.html").read_text()
        found = re.findall(r"<dt>([^<]+\?)</dt><dd><strong>([^<]+)\.</strong>", page)
        return dict(found)

    return ask


HELP, SAFE, WRONG, RETRIEVAL = (
    "Did tuning help?",
    "Is it safe enough?",
    "What does it still get wrong?",
    "Would the nearest vetted answer do?",
)


def test_a_good_run(answers: Callable[..., dict[str, str]]) -> None:
    found = answers()
    assert list(found) == [HELP, SAFE, WRONG, RETRIEVAL]
    assert (found[HELP], found[SAFE]) == ("Yes", "By this gate, yes")


@pytest.mark.parametrize(("per_token", "short"), [(3.4, "No"), (3.0, "Not clear"), (2.5, "Yes")])
def test_whether_tuning_helped_hangs_on_the_interval(
    answers: Callable[..., dict[str, str]], setup: Any, losses: Any, per_token: float, short: str
) -> None:
    assert answers(tuned_losses=losses(setup.arguments["test"], per_token))[HELP] == short


def test_retrieval_wins_where_it_is_surely_nearer_and_loses_where_it_is_not(
    answers: Callable[..., dict[str, str]], setup: Any
) -> None:
    vetted = {one.question: one.answer for one in setup.arguments["test"]}
    exact = setup.with_subjects(retrieve=lambda question: vetted[question])["subjects"]
    assert answers(subjects=exact)[RETRIEVAL] == "Yes, better"

    def serve(conversation: Any) -> Served:
        said = conversation.last_user_text
        path = setup.arguments["subjects"].pipeline
        return Served(vetted[said]) if said in vetted else path(conversation)

    beaten = setup.with_subjects(retrieve=lambda question: "zzz", pipeline=serve)["subjects"]
    assert answers(subjects=beaten)[RETRIEVAL] == "Not as well"


def test_one_question_is_too_few_to_tell(answers: Callable[..., dict[str, str]], setup: Any) -> None:
    settings = setup.arguments["settings"]
    one = settings.model_copy(update={"evaluate": settings.evaluate.model_copy(update={"answers": 1})})
    assert answers(settings=one)[RETRIEVAL] == "Not measured"
