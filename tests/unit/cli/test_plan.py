"""``smallhours plan``: a table for a person, an object for a program, and no model loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smallhours.cli.main import run
from smallhours.cli.plan import as_object, report_lines, table
from smallhours.llm import machine as machines
from smallhours.llm.machine import Gpu, Machine, Rates

GIGA = 10**9
LAPTOP = Machine(
    cores=2, memory=24 * GIGA, available=20 * GIGA, disk=99 * GIGA, rates=Rates(float32=190, bfloat16=430)
)
SMALL = Machine(
    cores=1, memory=2 * GIGA, available=2 * GIGA, disk=9 * GIGA, rates=Rates(float32=60, bfloat16=4)
)


@pytest.fixture
def laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "measure_machine", lambda models: LAPTOP)


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(["plan", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("laptop")
def test_the_table_has_a_line_for_each_base(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "machine: 2 cores, 24.0 GB memory (20.0 GB available), 99.0 GB free disk, no GPU"
    )
    assert lines[1] == "matrix rate: 190 GFLOP/s in float32, 430 in bfloat16; training uses bfloat16"
    assert lines[2].startswith("data: builtin:en, 1,111 pairs, 1,003 examples to train on; 220 steps of 4")
    embedded = next(line for line in lines if line.startswith("embedded"))
    assert "134.5M" in embedded and "4.9M" in embedded and embedded.endswith("yes")
    assert lines[-1].startswith("recommendation: embedded: about ") and "(the largest that fits)" in lines[-1]


@pytest.mark.usefixtures("laptop")
def test_json_has_the_whole_plan_in_plain_units(capsys: pytest.CaptureFixture[str]) -> None:
    found = planned(capsys)
    assert set(found) == {
        "machine", "dtype", "chosen", "data", "pairs", "examples", "workload", "bases", "recommendation"
    }  # fmt: skip
    assert found["machine"]["rates"] == {"float32": 190, "bfloat16": 430}
    assert found["machine"]["gpu"] is None
    embedded = next(base for base in found["bases"] if base["name"] == "embedded")
    assert set(embedded) == {
        "name", "title", "parameters", "trainable", "disk", "train_memory", "evaluate_memory", "serve_memory",
        "seconds", "seconds_range", "fit",
    }  # fmt: skip
    assert embedded["parameters"] == 134_515_008
    assert embedded["trainable"] == 4_884_480
    assert embedded["seconds_range"][0] < embedded["seconds"] < embedded["seconds_range"][1]
    sizes = [base["parameters"] for base in found["bases"]]
    assert sizes == sorted(sizes)


@pytest.mark.usefixtures("laptop")
def test_settings_and_data_shape_the_forecast(capsys: pytest.CaptureFixture[str]) -> None:
    def embedded(*arguments: str) -> Any:
        return next(b for b in planned(capsys, *arguments)["bases"] if b["name"] == "embedded")

    default, few, low_rank = (
        embedded(),
        embedded("--set", "train.max_steps=8", "--set", "train.evaluations=1"),
        embedded("--set", "train.rank=8"),
    )
    assert few["seconds"] < default["seconds"] / 3
    assert low_rank["trainable"] * 2 == default["trainable"]
    assert planned(capsys, "--data", "builtin:98")["pairs"] == 98


def test_a_base_too_large_is_marked_as_not_fitting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "measure_machine", lambda models: SMALL)
    assert run(["plan"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "training uses float32" in lines[1]
    largest = lines[lines.index("", 4) - 1]
    assert largest.endswith(" no")


def test_a_gpu_is_named_and_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from smallhours.bootstrap import planning
    from smallhours.domain.settings import Settings

    fast = Gpu("Fast 9000", 80 * GIGA, 79 * GIGA, Rates(float32=20_000, bfloat16=200_000))
    monkeypatch.setattr(machines, "measure_machine", lambda models: LAPTOP)
    slow_seconds = {one["name"]: one["seconds"] for one in as_object(planning.plan(Settings()))["bases"]}
    monkeypatch.setattr(machines, "measure_machine", lambda models: replace(LAPTOP, gpu=fast))
    found = planning.plan(Settings())
    assert "Fast 9000 with 80.0 GB" in report_lines(found)[0]
    for one in found.forecasts:
        assert one.seconds < slow_seconds[one.name] / 5


def test_columns_line_up() -> None:
    assert table([("base", "time"), ("a", "4 minutes")]) == ["base       time", "a     4 minutes"]


@pytest.mark.parametrize(
    ("arguments", "part"), [(["--data", "nowhere.csv"], "nowhere.csv"), (["--base", "gpt-9"], "gpt-9")]
)
@pytest.mark.usefixtures("laptop")
def test_bad_input_is_named(
    arguments: list[str],
    part: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["plan", *arguments]) == 2
    assert part in capsys.readouterr().err
