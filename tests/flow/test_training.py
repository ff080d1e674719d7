"""Training for real: killed and gone on, folded, on long answers, and refused where it cannot work."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from smallhours.bootstrap import stages
from smallhours.cli.main import run
from smallhours.corpus.shapes import Found
from smallhours.corpus.sources import examples_of, open_sources
from smallhours.domain.artifacts import read_manifest
from smallhours.domain.settings import Settings, load_settings
from tests.flow.conftest import CONFIG

CLOCKS = {"seconds", "tokens_per_second", "memory"}
# Another number type or number of threads computes other last bits.
SAME_BITS = ["--set", "train.dtype=float32"]


@pytest.fixture
def run_folder(dataset: Path, tmp_path: Path) -> Path:
    """A run that has its dataset and nothing else."""
    shutil.copytree(dataset, tmp_path / "tiny" / "dataset")
    return tmp_path / "tiny"


def command(folder: Path, *more: str) -> list[str]:
    return ["train", folder.name, "--config", str(CONFIG), "--set", f"runs={folder.parent}", *more]


def metrics(folder: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (folder / "adapter/metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k not in CLOCKS} for row in rows]


def test_a_killed_training_goes_on_to_the_same_bytes(run_folder: Path, tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(run_folder, undisturbed)
    steps = [*SAME_BITS, "--set", "train.max_steps=4", "--set", "train.evaluations=2", "--set",
             "train.dropout=0.1"]  # fmt: skip
    assert run(command(undisturbed, *steps)) == 0

    checkpoint = run_folder / "adapter.checkpoint"
    often = ["--set", "train.checkpoint_every=0.01"]
    process = subprocess.Popen(
        [sys.executable, "-m", "smallhours", *command(run_folder, *steps, *often)],
        stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": threads()},
    )  # fmt: skip
    for _ in versions(checkpoint, process, count=2):
        pass
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert not (run_folder / "adapter").exists() and checkpoint.is_file()

    assert run(command(run_folder, *steps)) == 0
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        found, wanted = ((folder / "adapter" / name).read_bytes() for folder in (run_folder, undisturbed))
        assert found == wanted, name
    assert metrics(run_folder) == metrics(undisturbed)
    manifest = read_manifest(run_folder / "adapter")
    assert manifest is not None and 2 <= manifest.figures["resumed_after_step"] < 4
    assert sorted(p.name for p in run_folder.iterdir()) == ["adapter", "dataset"]


def threads() -> str:
    return str(torch.get_num_threads())


def versions(path: Path, process: subprocess.Popen[bytes], count: int) -> Iterator[int]:
    """Wait until ``path`` has been written ``count`` times by a process that is still at work."""
    last, deadline = 0, time.monotonic() + 120
    while count:
        assert process.poll() is None, "training ended before it could be killed"
        assert time.monotonic() < deadline
        stamp = path.stat().st_mtime_ns if path.exists() else 0
        if stamp != last:
            last, count = stamp, count - 1
            yield stamp
        time.sleep(0.01)


def test_the_manifest_holds_what_a_later_reader_needs(finished: Settings) -> None:
    manifest = read_manifest(finished.run_folder / "adapter")
    assert manifest is not None
    assert {"dataset/train", "dataset/validation", "base", "code"} == set(manifest.inputs)
    assert {"python", "torch", "transformers", "peft", "numpy", "smallhours"} <= set(manifest.versions)
    assert manifest.machine["processor"] and manifest.machine["cores"] and manifest.machine["memory_bytes"]
    assert manifest.config["learning_rate"] == finished.train.learning_rate
    assert manifest.config["system_prompt"] and manifest.seed == finished.seed
    figures = manifest.figures
    assert figures["peak_memory_bytes"] > 2e8 and figures["threads"] and figures["dtype"]
    assert figures["examples"]["train"] > figures["examples"]["validation"] > 0


def test_a_strangers_file_with_long_answers_trains_without_a_flag(tmp_path: Path) -> None:
    """98 rows with answers of about 250 words, four to five built-in ones each."""
    vetted = (found.example for found in examples_of(open_sources("builtin:en")) if isinstance(found, Found))
    answers = (example.answer for example in vetted if example.stands_alone)
    with (tmp_path / "pairs.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["question", "answer"])
        for row in range(98):
            table.writerow([f"What helps when night {row} is long?", long_answer(answers)])
    arguments = ["--config", str(CONFIG), "--set", f"runs={tmp_path}"]
    assert run(["corpus", "build", "--data", str(tmp_path / "pairs.csv"), *arguments]) == 0
    assert run(["train", "tiny", *arguments, "--set", "train.max_steps=1"]) == 0
    manifest = read_manifest(tmp_path / "tiny" / "adapter")
    assert manifest is not None and manifest.figures["examples"]["longest"] > 300


def long_answer(answers: Iterator[str]) -> str:
    text = ""
    while len(text.split()) < 230:
        text = f"{text} {next(answers)}".strip()
    return text


def test_an_example_longer_than_the_limit_is_named(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(run_folder, "--set", "train.max_length=60")) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert lines and all("tokens with the system prompt, the limit is 60" in line for line in lines)
    assert not (run_folder / "adapter").exists()


def test_folds_go_on_fold_by_fold_and_leave_the_adapter_alone(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = ["--folds", "2", *SAME_BITS, "--set", "train.max_steps=1", "--set", "train.batch_size=2",
             "--set", "corpus.most_validation=4"]  # fmt: skip

    def interrupted(settings: Settings) -> None:
        said = []

        def announce(line: str) -> None:
            said.append(line)
            if line.startswith("fold 1-2"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            stages.train_folds(settings, 2, 1, lambda event: None, announce)

    flags = {"runs": str(run_folder.parent), "train.dtype": "float32", "train.max_steps": 1,
             "train.batch_size": 2, "corpus.most_validation": 4}  # fmt: skip
    interrupted(load_settings(CONFIG, {}, flags))
    assert not (run_folder / "folds").exists()
    assert run(command(run_folder, *quick)) == 0
    shown = capsys.readouterr()
    assert "fold 1-1: done before" in shown.err and "fold 1-2: done before" not in shown.err
    assert "held-out loss" in shown.out and "[" in shown.out
    assert sorted(p.name for p in run_folder.iterdir()) == ["dataset", "folds"]
    found = json.loads((run_folder / "folds/folds.json").read_text())
    assert [one["fold"] for one in found["folds"]] == [1, 2]
    assert found["inputs"]["dataset/train"] and found["settings"]["rank"] == 4
    assert (run_folder / "folds/folds.png").read_bytes().startswith(b"\x89PNG")
    summary = found["summary"]["held_out_loss_before"]
    assert summary["low"] <= summary["value"] <= summary["high"] and summary["n"] == 2
    assert run(command(run_folder, *quick)) == 0
    assert "folds: up to date" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--set", "train.quantize=nf4"], 3, "CUDA GPU"),
        (["--folds", "90"], 2, "too few"),
        (["--repeats", "2"], 2, "--folds"),
        (["--folds", "1"], 2, "x>=2"),
    ],
)
def test_what_cannot_be_trained_is_said_before_any_work(
    run_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    part: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert run(command(run_folder, *arguments)) == code
    shown = capsys.readouterr().err
    assert part in shown and "Traceback" not in shown
    assert [p.name for p in run_folder.iterdir()] == ["dataset"]
