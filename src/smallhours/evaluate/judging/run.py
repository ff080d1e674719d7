"""Puts the answers that an evaluation wrote before a judge, and adds the outcome to its folder and page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from smallhours.domain.artifacts import amended_folder, require_manifest
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import RunError
from smallhours.evaluate.baselines import Answered
from smallhours.evaluate.judging.asking import Judge
from smallhours.evaluate.judging.items import matches
from smallhours.evaluate.judging.keeping import FOLDER as KEPT
from smallhours.evaluate.judging.keeping import KeptJudge
from smallhours.evaluate.judging.opinion import (
    Judged,
    Opinion,
    agreement_figures,
    judge_matches,
    judge_ratings,
    match_figures,
)
from smallhours.evaluate.judging.ratings import Rating
from smallhours.evaluate.judging.view import judge_fragment
from smallhours.evaluate.report import with_judge
from smallhours.evaluate.run import ANSWERS, FOLDER, PAGE, REPORT
from smallhours.evaluate.subjects import Progress

OPINION, JUDGED = "judge.json", "judged.jsonl"


def read_answers(run: Path) -> list[Answered]:
    """The answers that the evaluation of a run folder wrote.

    Raises:
        RunError: it was not evaluated, or the file is damaged.
    """
    require_manifest(run / FOLDER, f"smallhours evaluate {run.name}")
    path = run / FOLDER / ANSWERS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Answered.model_validate_json(line) for line in lines]
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise RunError(
            f"{path}: damaged ({type(error).__name__}). Delete {run / FOLDER} and run "
            f"'smallhours evaluate {run.name}' again."
        ) from None


def judge_run(
    run: Path, judge: Judge, endpoint: Endpoint, ratings: Sequence[Rating], seed: int, told: Progress
) -> Opinion:
    """Compare the run's answers and the rated ones; nothing is generated anew.

    Adds ``judge.json`` and ``judged.jsonl`` to the run's evaluation, and a part to its report, in place of an
    earlier judge's. What the judge said before, to the very same question, is not asked again.

    Raises:
        RunError: there is no evaluation, or its report cannot take the part.
        ReplyError, EngineError: the judge does not answer as asked; the evaluation stays as it was.
    """
    manifest = require_manifest(run / FOLDER, f"smallhours evaluate {run.name}")
    answered = read_answers(run)
    with_judge((run / FOLDER / PAGE).read_text(encoding="utf-8"), "")  # no place for it is said before asking
    keeping = KeptJudge(judge, run / KEPT, f"{endpoint.url} {endpoint.model} {seed}")
    judged = judge_matches(keeping, matches(answered), told)
    agreements = judge_ratings(keeping, ratings, told)
    figures = match_figures(judged)
    if with_people := agreement_figures(agreements):
        figures["agreement"] = with_people
    opinion = Opinion(
        model=endpoint.model, host=endpoint.host, seed=seed, figures=figures, agreements=tuple(agreements)
    )
    questions = {one.id: one.question for one in answered}
    with amended_folder(run / FOLDER, manifest) as folder:
        (folder / OPINION).write_text(opinion.model_dump_json(indent=1) + "\n", encoding="utf-8")
        (folder / JUDGED).write_text("".join(f"{one.model_dump_json()}\n" for one in judged), "utf-8")
        _add_to_report(folder, opinion, judged, questions)
    return opinion


def _add_to_report(
    folder: Path, opinion: Opinion, judged: Sequence[Judged], questions: dict[str, str]
) -> None:
    report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    figures = opinion.model_dump(mode="json")["figures"]
    (folder / REPORT).write_text(json.dumps({**report, "judge": figures}, indent=1) + "\n", encoding="utf-8")
    page = (folder / PAGE).read_text(encoding="utf-8")
    changed = with_judge(page, judge_fragment(opinion, judged, questions))
    (folder / PAGE).write_text(changed, encoding="utf-8")
