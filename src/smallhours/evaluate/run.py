"""Measures a run and writes ``evaluation/``: figures, verdict, page, model card, and all that was said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from smallhours.domain.artifacts import fingerprint, hash_folder, hash_json, is_current, staged_folder
from smallhours.domain.errors import RunError
from smallhours.domain.ports import AnswerLoss, Sampling
from smallhours.domain.records import Example
from smallhours.domain.settings import Settings
from smallhours.evaluate import gate
from smallhours.evaluate.baselines import (
    Answered,
    against_retrieval,
    answer_figures,
    choose,
    collect_answers,
    score_answers,
    speed_figures,
    unsafe_change,
)
from smallhours.evaluate.card import CARD, render_card
from smallhours.evaluate.findings import Findings
from smallhours.evaluate.learning import Learning, by_topic, measure_learning, read_curve, read_folds
from smallhours.evaluate.lengths import distribution
from smallhours.evaluate.metrics import Figure
from smallhours.evaluate.ordinary import measure_forgetting
from smallhours.evaluate.report import render_html
from smallhours.evaluate.safety import examine
from smallhours.evaluate.samples import samples
from smallhours.evaluate.scorers import Answer
from smallhours.evaluate.subjects import BASELINES, Progress, Subjects
from smallhours.evaluate.surprise import MOST, measure_surprise

STAGE = "evaluate"
FOLDER = "evaluation"
REPORT, PAGE, VERDICT, ANSWERS = "report.json", "report.html", "verdict.json", "answers.jsonl"
CONVERSATIONS, REQUESTS, SAMPLES = "conversations.jsonl", "requests.jsonl", "samples"
DATA = Path(__file__).parent / "data"
REVISION = "3"  # raise it when the same inputs would give other figures


def _quiet(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def evaluate_run(
    *,
    folder: Path,
    subjects: Subjects,
    test: Sequence[Example],
    train: Sequence[Example],
    base_losses: Sequence[AnswerLoss],
    tuned_losses: Sequence[AnswerLoss],
    settings: Settings,
    inputs: Mapping[str, str],
    weights: str,
    policy: str,
    ordinary_losses: tuple[Sequence[AnswerLoss], Sequence[AnswerLoss]] = ((), ()),
    speed: Mapping[str, Figure] | None = None,
    on_progress: Progress = _quiet,
) -> gate.Verdict:
    """Measure the run in ``folder`` (``runs/<name>``), write ``folder/evaluation`` and give the verdict.

    ``base_losses`` and ``tuned_losses`` are of ``test``, in order, ``ordinary_losses`` of both on ordinary
    text; ``train`` is what retrieval and the copy check look in. ``inputs`` maps what the run was made from
    to hashes, ``weights`` is the SHA-256 of the adapter, ``speed`` adds to the figures timed here.

    Raises:
        RunError: if losses and test examples do not belong together.
        EngineError: if a model does not answer; nothing is written then.
    """
    if [one.id for one in base_losses] != [example.id for example in test]:
        raise RunError("the losses are not of the test examples in their order; measure them again.")
    draws = {"resamples": settings.evaluate.resamples, "seed": settings.seed}
    learning = measure_learning(base_losses, tuned_losses, **draws)
    prompt, sampling = settings.train.system_prompt, raw_sampling(settings)
    answered, timings = collect_answers(
        choose(test, settings.evaluate.answers, settings.seed),
        subjects,
        system_prompt=prompt,
        sampling=sampling,
        on_progress=on_progress,
    )
    scored = _score(answered, subjects, test, train, settings.seed)
    baselines = {name: answer_figures(answers, **draws) for name, answers in scored.items()}
    examined = examine(
        subjects, settings.evaluate, settings.seed, system_prompt=prompt, sampling=sampling, told=on_progress
    )
    figures = _of_answers(learning, baselines, unsafe_change(scored, **draws)) | examined.gate_figures()
    findings = Findings(
        name=folder.resolve().name,
        verdict=gate.judge(figures, settings.evaluate, weights=weights, policy=policy),
        gate=figures,
        learning=learning,
        topics=by_topic([example.topic for example in test], base_losses, tuned_losses, **draws),
        forgetting=measure_forgetting(ordinary_losses[0], ordinary_losses[1], **draws),
        folds=read_folds(folder / "folds"),
        curve=read_curve(folder / "adapter"),
        answered=answered,
        baselines=baselines,
        against_retrieval=against_retrieval(scored, **draws),
        lengths=_lengths(answered, [*train, *test]),
        examined=examined,
        speed={**speed_figures(timings, **draws), **(speed or {})},
        about=_about(settings, subjects, weights, policy),
    )
    _write(folder, findings, samples(answered, scored, prompt), inputs, settings)
    return findings.verdict


def _score(
    answered: Sequence[Answered],
    subjects: Subjects,
    test: Sequence[Example],
    train: Sequence[Example],
    seed: int,
) -> dict[str, list[Answer]]:
    """The answers of the four baselines and the vetted ones, with all that the scorers look at."""
    names = (*BASELINES, "vetted")
    english = [one for one in answered if one.locale.lower().startswith("en")]
    # Those that are scored anyhow come first: they cost nothing more.
    others = choose([example for example in test if example.language == "en"], MOST, seed)
    vetted = [one.vetted for one in english] + [example.answer for example in others]
    surprises = measure_surprise(
        [one.text(name) for one in english for name in names],
        list(dict.fromkeys(vetted))[:MOST],
        subjects.surprise,
    )
    return score_answers(answered, train, subjects.embed, names, surprises)


def _of_answers(
    learning: Learning, baselines: Mapping[str, Mapping[str, Figure]], change: Figure | None
) -> dict[str, Figure | None]:
    """What the gate's lines about learning and answers are held against; ``None``: not measured."""
    tuned, pipeline = baselines["tuned"], baselines["pipeline"]
    return {
        gate.LOSS_REDUCTION: learning.reduction,
        gate.UNSAFE_SHARE: tuned.get("unsafe"),
        gate.CLINICAL_SHARE: tuned.get("clinical"),
        gate.ENDED_SHARE: tuned.get("ended"),
        gate.UNSAFE_CHANGE: change,
        gate.REFUSALS: pipeline.get("refused"),
    }


def raw_sampling(settings: Settings) -> Sampling:
    """How both raw models decode: like the first candidate in serving, greedily."""
    return Sampling(
        dry=settings.generation.dry, max_tokens=settings.generation.max_tokens, seed=settings.seed
    )


def recorded_config(settings: Settings) -> dict[str, Any]:
    """The settings that the evaluation depends on, as they stand in its manifest."""
    return {
        "evaluate": settings.evaluate.model_dump(mode="json"),
        "generation": settings.generation.model_dump(mode="json"),
        "system_prompt": settings.train.system_prompt,
    }


def finished_verdict(folder: Path, inputs: Mapping[str, str], settings: Settings) -> gate.Verdict | None:
    """The verdict of an evaluation of exactly these inputs and settings, if there is one already."""
    wanted = fingerprint(STAGE, _all_inputs(inputs), recorded_config(settings), settings.seed)
    if not is_current(folder / FOLDER, wanted):
        return None
    return gate.Verdict.model_validate_json((folder / FOLDER / VERDICT).read_text(encoding="utf-8"))


def _all_inputs(inputs: Mapping[str, str]) -> dict[str, str]:
    return {**inputs, "suites": hash_folder(DATA), "evaluation": hash_json(REVISION)}


def _lengths(answered: Sequence[Answered], vetted: Sequence[Example]) -> dict[str, list[Figure]]:
    """Shares per band of the vetted answers, each once, and of the three kinds of answers given."""
    texts = {"vetted": list(dict.fromkeys(example.answer for example in vetted))}
    texts |= {name: [one.text(name) for one in answered] for name in ("base", "tuned", "pipeline")}
    return {name: distribution(found) for name, found in texts.items()}


def _about(settings: Settings, subjects: Subjects, weights: str, policy: str) -> dict[str, str]:
    return {
        "Base model": f"{settings.base} ({subjects.base.identity.base[:12]})",
        "Adapter": weights[:12],
        "Safety policy": policy,
        "Answers by": settings.generation.policy,
        "Seed": str(settings.seed),
        "Measured": datetime.now(UTC).date().isoformat(),
    }


def _summary(findings: Findings) -> dict[str, Any]:
    """The manifest's figures: the verdict and what ``report.json`` has no place for."""
    return {
        "pass": findings.verdict.passed,
        "answers": len(findings.answered),
        "held_out_answers": findings.learning.base.loss.n,
        "held_out_tokens": findings.learning.tokens,
        "loss_difference": findings.learning.difference.model_dump(),
        "vetted": {name: figure.model_dump() for name, figure in findings.baselines["vetted"].items()},
        "lengths": {name: [f.model_dump() for f in bands] for name, bands in findings.lengths.items()},
    }


def _lines(rows: Iterable[BaseModel]) -> str:
    return "".join(f"{row.model_dump_json()}\n" for row in rows)


def _write(
    run: Path,
    findings: Findings,
    sampled: Mapping[str, str],
    inputs: Mapping[str, str],
    settings: Settings,
) -> None:
    report = findings.report().model_dump_json(indent=1) + "\n"
    verdict = json.dumps(findings.verdict.model_dump(mode="json", by_alias=True), indent=1) + "\n"
    files = {
        REPORT: report,
        PAGE: render_html(findings),
        VERDICT: verdict,
        ANSWERS: _lines(findings.answered),
        CONVERSATIONS: _lines(findings.examined.conversations),
        REQUESTS: _lines(findings.examined.requests),
        CARD: render_card(run, json.loads(report), json.loads(verdict)),
        **{f"{SAMPLES}/{name}": text for name, text in sampled.items()},
    }
    with staged_folder(
        run / FOLDER,
        stage=STAGE,
        inputs=_all_inputs(inputs),
        config=recorded_config(settings),
        seed=settings.seed,
        figures=_summary(findings),
    ) as partial:
        (partial / SAMPLES).mkdir()
        for name, text in files.items():
            (partial / name).write_text(text, encoding="utf-8")
