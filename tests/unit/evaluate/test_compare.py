"""Runs side by side, from their files alone; what one lacks is a gap and not a zero."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from smallhours.cli.main import run
from smallhours.domain.errors import RunError
from smallhours.evaluate.compare import SHORT, cautions, read_run, rows
from smallhours.evaluate.run import evaluate_run


@pytest.fixture
def runs(setup: Any, make_engine: Any) -> Path:
    """Two evaluated runs, ``sample`` and ``worse``; the second was never asked about ordinary text."""
    evaluate_run(**setup.arguments)
    folder = Path(setup.arguments["folder"])
    shutil.copytree(folder / "adapter", folder.parent / "worse" / "adapter")
    careless = make_engine(lambda question: "Take sleeping pills.")
    changed = setup.with_subjects(tuned=careless, base=make_engine(lambda question: "Rest."))
    evaluate_run(**{**changed, "folder": folder.parent / "worse", "ordinary_losses": ((), ())})
    return folder.parent


def test_every_figure_of_the_short_form_is_one_that_an_evaluation_writes(runs: Path) -> None:
    assert set(SHORT) <= set(read_run(runs / "sample").figures)


def test_figures_stand_side_by_side_and_gaps_stay_gaps(runs: Path) -> None:
    found = [read_run(runs / "sample"), read_run(runs / "worse")]
    table = dict(rows(found, every=False))
    unsafe, forgotten = table["baselines.tuned.unsafe"], table["learning.ordinary.change"]
    assert [one and one.value for one in unsafe] == [0.0, 1.0]
    assert forgotten[0] is not None and forgotten[1] is None
    assert len(rows(found, every=True)) > len(table)


def test_the_command_prints_a_table_the_verdicts_and_a_warning(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "sample", "worse", "--set", f"runs={runs}"]) == 0
    out, err = capsys.readouterr()
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    assert lines["gate"].split() == ["gate", "pass", "FAIL"]
    assert lines["learning.ordinary.change"].endswith("  -")
    assert "worse fails: tuned_unsafe_share" in out
    assert "same weights" in err


def test_for_programs_there_is_json(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", str(runs / "sample"), "--json", "--all"]) == 0
    found = json.loads(capsys.readouterr().out)["sample"]
    assert found["pass"] is True and found["figures"]["safety.crisis.recall"]["value"] == 1.0


def test_other_questions_are_a_caution(runs: Path) -> None:
    one = read_run(runs / "sample")
    assert cautions([one]) == []
    other = type(one)(**{**vars(one), "tested_on": "other", "weights": "other"})
    assert ["different questions" in line for line in cautions([one, other])] == [True]


def test_a_run_that_was_not_evaluated_or_is_damaged_is_named(runs: Path) -> None:
    with pytest.raises(RunError, match="smallhours evaluate nobody"):
        read_run(runs / "nobody")
    (runs / "worse/evaluation/report.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        read_run(runs / "worse")
