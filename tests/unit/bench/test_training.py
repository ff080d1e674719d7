"""What is made of the measurements: medians, ratios of the same turn, no zero for what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.common import figure, missing, write_results
from bench.environments import PeerUnavailableError, last_line, peer_python
from bench.training import Measured, Setting, figures_of, take_turns
from scripts.readme_figures import bench_table

SETTING = Setting(tokens=1000, parameters=100_000, words="a base, 1000 tokens")


def measured(seconds: float, megabytes: float = 1000.0) -> Measured:
    return Measured(seconds, megabytes, matrix_rate=4e8, adapter="somewhere", versions={})


RUNS = {"ours": [measured(2.0, 500), measured(4.0, 500)], "peer": [measured(10.0), measured(12.0)]}
LOSSES = {"base": [4.0], "ours": [3.0, 3.3], "peer": [3.0, 3.0]}


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("ours: tokens per second", 375, "tokens/s"),  # the median of 1000 / 2 and 1000 / 4
        ("ours: training loop", 3.0, "s"),
        ("ours: share of the matrix rate", 37.5, "%"),  # 4e8 operations in 2 s and 4 s at 4e8 a second
        ("peer: peak memory", 1000, "MiB"),
        ("base: held-out loss", 4.0, "nats per token"),
        ("ours: held-out loss", 3.15, "nats per token"),
        ("speed against peer", 4.0, "x"),  # 10 / 2 in the first turn, 12 / 4 in the second
        ("peak memory against peer", 0.5, "x"),
        ("held-out loss against peer", 1.05, "x"),
    ],
)
def test_each_figure_is_the_median_over_turns(name: str, value: float, unit: str) -> None:
    found = figures_of(RUNS, {}, LOSSES, SETTING, "bfloat16")[name]
    assert (found["value"], found["unit"]) == (value, unit)


def test_a_peer_that_failed_has_reasons_and_no_values() -> None:
    runs = {"ours": RUNS["ours"], "peer": []}
    losses = {"base": [4.0], "ours": [3.0, 3.3]}
    found = figures_of(runs, {"peer": "cannot be installed"}, losses, SETTING, "bfloat16")
    of_peer = {name: each for name, each in found.items() if "peer" in name}
    assert len(of_peer) == 8
    assert {each["value"] for each in of_peer.values()} == {None}
    assert {each["reason"] for each in of_peer.values()} == {"cannot be installed"}
    assert found["ours: training loop"]["value"] == 3.0


def test_arms_take_turns_and_a_failed_one_gets_no_other() -> None:
    asked = []

    def measure(name: str, turn: int) -> Measured:
        asked.append((name, turn))
        if name == "broken":
            raise PeerUnavailableError("it broke")
        return measured(1.0)

    runs, reasons = take_turns(["ours", "broken", "peer"], 2, measure)
    assert asked == [("ours", 0), ("broken", 0), ("peer", 0), ("ours", 1), ("peer", 1)]
    assert {name: len(each) for name, each in runs.items()} == {"ours": 2, "broken": 0, "peer": 2}
    assert reasons == {"broken": "it broke"}


def test_the_file_has_date_machine_versions_and_figures(tmp_path: Path) -> None:
    figures = {"a": figure([3.0, 1.0, 2.04], "s", "the clock"), "b": missing("s", "the clock", "no clock")}
    write_results(tmp_path / "results.json", figures, {"trl (trl)": "1.16.0"})
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert list(found) == ["date", "machine", "versions", "figures"]
    assert {"smallhours", "trl (trl)"} <= found["versions"].keys()
    assert found["figures"]["a"] == {
        "value": 2.0, "unit": "s", "against": "the clock", "runs": 3, "low": 1.0, "high": 3.0,
    }  # fmt: skip
    assert found["figures"]["b"]["value"] is None


def test_a_peer_that_cannot_be_installed_says_why_and_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "odd.txt").write_text("./no-such-folder-here\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(PeerUnavailableError, match="no-such-folder-here"):
            peer_python("odd", tmp_path, tmp_path / "environments")
    assert not (tmp_path / "environments" / "odd" / "installed").exists()


def test_an_environment_is_made_once_per_list(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n", encoding="utf-8")
    python = peer_python("empty", tmp_path, tmp_path / "environments")
    mark = python.parent / "mark"
    mark.touch()
    assert peer_python("empty", tmp_path, tmp_path / "environments") == python and mark.exists()
    (tmp_path / "empty.txt").write_text("# still nothing\n", encoding="utf-8")
    assert peer_python("empty", tmp_path, tmp_path / "environments").exists() and not mark.exists()


@pytest.mark.parametrize(
    ("said", "line"),
    [("a\n\n  ValueError: b \n\n", "ValueError: b"), ("", "no message"), (" \n", "no message")],
)
def test_the_cause_is_the_last_line_that_says_something(said: str, line: str) -> None:
    assert last_line(said) == line


def test_the_readme_shows_spread_and_names_what_is_missing(tmp_path: Path) -> None:
    runs = {"ours": RUNS["ours"], "trl-best": RUNS["peer"], "llamafactory": []}
    losses = {"base": [4.0], "ours": [3.0, 3.3], "trl-best": [3.0, 3.0]}
    figures = figures_of(runs, {"llamafactory": "exit code 1: it broke"}, losses, SETTING, "bfloat16")
    write_results(tmp_path / "training.json", figures)
    lines = bench_table(tmp_path / "training.json").splitlines()
    assert "| speed against TRL's SFTTrainer at its best here | 4.0x (3.0x to 5.0x; n = 2) |" in lines
    assert "| speed against LLaMA-Factory | not measured: exit code 1: it broke |" in lines
    assert not any("TRL's defaults" in line for line in lines)
