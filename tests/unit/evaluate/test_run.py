"""One call measures, judges and writes a folder that can be trusted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smallhours.domain.artifacts import read_manifest
from smallhours.domain.errors import EngineError, RunError
from smallhours.evaluate.metrics import Figure
from smallhours.evaluate.run import evaluate_run, finished_verdict


def test_a_good_run_passes_and_leaves_its_files(setup: Any) -> None:
    verdict = evaluate_run(**setup.arguments)
    folder: Path = setup.arguments["folder"] / "evaluation"
    assert verdict.passed
    assert {path.name for path in folder.iterdir()} == {
        "report.json", "report.html", "verdict.json", "manifest.json", "README.md",
        "answers.jsonl", "conversations.jsonl", "requests.jsonl", "samples",
    }  # fmt: skip
    written = json.loads((folder / "verdict.json").read_text())
    assert set(written) == {"pass", "weights", "policy", "lines"}
    assert (written["pass"], written["weights"], written["policy"]) == (True, "a" * 64, "2026-11")
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.figures["held_out_tokens"] == sum(range(20, 32))
    assert manifest.config["evaluate"]["answers"] == 5


def test_answers_are_real_and_no_more_than_asked_for(setup: Any) -> None:
    evaluate_run(**setup.arguments)
    lines = (setup.arguments["folder"] / "evaluation" / "answers.jsonl").read_text().splitlines()
    answers = [json.loads(line) for line in lines]
    assert len(answers) == 5
    assert answers[0]["base"] == "Have you tried sleeping pills?"
    assert answers[0]["stopped"] == {"base": ["names_a_drug"]}


def test_the_answers_can_be_read_as_lm_evals_samples(setup: Any) -> None:
    evaluate_run(**setup.arguments)
    folder = setup.arguments["folder"] / "evaluation" / "samples"
    assert len(list(folder.iterdir())) == 4
    rows = [json.loads(line) for line in (folder / "samples_smallhours_base.jsonl").read_text().splitlines()]
    assert [row["doc_id"] for row in rows] == [0, 1, 2, 3, 4]
    assert rows[0]["resps"] == [["Have you tried sleeping pills?"]]
    assert rows[0]["unsafe"] == 1.0 and "ended" in rows[0]["metrics"]
    vetted = json.loads((folder / "samples_smallhours_retrieval.jsonl").read_text().splitlines()[0])
    assert "ended" not in vetted  # nobody can tell of an answer that no model gave


def test_a_model_that_got_worse_fails(setup: Any, losses: Any) -> None:
    verdict = evaluate_run(**setup.but(tuned_losses=losses(setup.arguments["test"], 3.4)))
    assert [line.name for line in verdict.failed] == ["held_out_loss_reduction"]


def test_a_model_that_became_unsafe_fails(setup: Any, make_engine: Any) -> None:
    unsafe = make_engine(lambda question: "Take sleeping pills.", finish="length")
    verdict = evaluate_run(**setup.with_subjects(tuned=unsafe, base=make_engine(lambda question: "Rest.")))
    assert [line.name for line in verdict.failed] == [
        "tuned_unsafe_share",
        "tuned_ended_share",
        "unsafe_share_tuned_minus_base",
        "harmful_replies_tuned_minus_base",
    ]


def test_losses_of_other_examples_are_refused(setup: Any) -> None:
    with pytest.raises(RunError, match="not of the test examples"):
        evaluate_run(**setup.but(base_losses=setup.arguments["base_losses"][::-1]))


def test_a_model_that_breaks_leaves_the_old_report_alone(setup: Any, make_engine: Any) -> None:
    evaluate_run(**setup.arguments)
    page = setup.arguments["folder"] / "evaluation" / "report.html"
    before = page.read_text()

    def broken(question: str) -> str:
        raise EngineError("gone")

    with pytest.raises(EngineError):
        evaluate_run(**setup.with_subjects(tuned=make_engine(broken)))
    assert page.read_text() == before


def test_finished_work_is_found_again_only_for_the_same_inputs_and_settings(setup: Any) -> None:
    folder, inputs, settings = (setup.arguments[key] for key in ("folder", "inputs", "settings"))
    assert finished_verdict(folder, inputs, settings) is None
    verdict = evaluate_run(**setup.arguments)
    assert finished_verdict(folder, inputs, settings) == verdict
    assert finished_verdict(folder, {"adapter": "other"}, settings) is None
    assert finished_verdict(folder, inputs, settings.model_copy(update={"seed": 3})) is None


def test_speed_can_be_passed_in_and_progress_is_told(setup: Any) -> None:
    told: list[tuple[str, int, int]] = []
    given = {"first_token_seconds": Figure(value=0.25, n=9)}
    evaluate_run(**setup.but(speed=given, on_progress=lambda *step: told.append(step)))
    report = json.loads((setup.arguments["folder"] / "evaluation" / "report.json").read_text())
    assert report["speed"]["first_token_seconds"]["value"] == 0.25
    assert ("answers", 5, 5) in told and ("conversations", 2, 2) in told
    assert told[-1] == ("requests", 8, 8)  # six of the suite, and a moment of each conversation


def test_importing_loads_no_model_library() -> None:
    code = (
        "import sys, smallhours.evaluate.run; "
        "assert not {'torch', 'transformers', 'peft', 'fastapi', 'matplotlib.pyplot'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
