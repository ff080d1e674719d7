"""Two processes on one machine, started by torchrun, come to what one process comes to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from scripts.gpt2_shape import make_gpt2_shape
from smallhours.cli.main import run
from smallhours.domain.artifacts import read_manifest
from tests.flow.conftest import CONFIG
from tests.unit.llm.tiny_bases import TEMPLATES, save_base

OPTIONS = {
    "train.dtype": "float32",
    "train.max_steps": 6,
    "train.evaluations": 2,
    "train.batch_size": 5,
    "train.learning_rate": 0.01,
    "train.checkpoint_every": 0,
}
SHARDED = {"ACCELERATE_USE_FSDP": "true"}
LOADED_ONCE = {**SHARDED, "FSDP_CPU_RAM_EFFICIENT_LOADING": "true"}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bases")
    template = TEMPLATES["chatml with a prompt of its own"]
    save_base(folder / "llama", template, max_position_embeddings=4096, initializer_range=0.2)
    save_base(
        folder / "tied", template, max_position_embeddings=4096, initializer_range=0.2,
        tie_word_embeddings=True,
    )  # fmt: skip
    make_gpt2_shape(folder / "gpt2", layers=2, width=64, vocabulary=2000)
    return {path.name: path for path in folder.iterdir()}


class Run:
    """A run folder with a dataset, and the command line that trains in it."""

    def __init__(self, dataset: Path, folder: Path, base: Path, **changes: object) -> None:
        self.folder = folder / "tiny"
        shutil.copytree(dataset, self.folder / "dataset")
        options = {"runs": folder, "base": base, **OPTIONS, **changes}
        self.arguments = [
            "train", "tiny", "--config", str(CONFIG),
            *(part for key, value in options.items() for part in ("--set", f"{key}={value}")),
        ]  # fmt: skip

    def alone(self, *more: str) -> None:
        assert run([*self.arguments, *more]) == 0

    def start(self, *more: str, **variables: str) -> subprocess.Popen[str]:
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        return subprocess.Popen(
            [*launch, "-m", "smallhours", *self.arguments, *more], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        )  # fmt: skip

    def launched(self, *more: str, **variables: str) -> tuple[int, str, str]:
        process = self.start(*more, **variables)
        out, err = process.communicate(timeout=100)
        return process.returncode, out, err

    def rows(self) -> list[dict[str, float]]:
        return [json.loads(line) for line in (self.folder / "adapter/metrics.jsonl").read_text().splitlines()]

    def losses(self) -> list[float]:
        return [row.get("loss", row.get("validation_loss", 0.0)) for row in self.rows()]

    def adapter(self) -> dict[str, torch.Tensor]:
        return load_file(self.folder / "adapter/adapter_model.safetensors")


def require_the_same_training(found: Run, wanted: Run) -> None:
    assert found.losses() == pytest.approx(wanted.losses(), rel=1e-4)
    assert [row.get("best") for row in found.rows()] == [row.get("best") for row in wanted.rows()]
    one, other = found.adapter(), wanted.adapter()
    assert one.keys() == other.keys() and any("lora_B" in name for name in one)
    for name, weight in other.items():
        assert float(weight.abs().max()) > 0
        torch.testing.assert_close(one[name], weight, rtol=1e-4, atol=1e-4 * float(weight.abs().max()))
    assert sorted(p.name for p in found.folder.iterdir()) == ["adapter", "dataset"]
    names = ({p.name for p in (each.folder / "adapter").iterdir()} for each in (found, wanted))
    assert next(names) == next(names)


@pytest.mark.parametrize(
    ("base", "changes", "variables"),
    [
        ("gpt2", {}, {}),
        ("llama", {"train.batch_size": 1}, {}),
        ("tied", {}, LOADED_ONCE),
        ("gpt2", {}, SHARDED),
    ],
    ids=["gpt2", "one example a step", "tied, loaded once", "gpt2 sharded"],
)
def test_two_processes_train_as_one_does(
    dataset: Path,
    bases: dict[str, Path],
    tmp_path: Path,
    base: str,
    changes: dict[str, object],
    variables: dict[str, str],
) -> None:
    wanted = Run(dataset, tmp_path / "alone", bases[base], **changes)
    wanted.alone()
    found = Run(dataset, tmp_path / "together", bases[base], **changes)
    code, out, err = found.launched(**variables)
    assert code == 0, err
    assert out.count("adapter:") == 1 and err.count("training: step 6/6") == 1
    assert ("divided over them" in err) == bool(variables)
    require_the_same_training(found, wanted)
    manifest, single = (read_manifest(each.folder / "adapter") for each in (found, wanted))
    assert manifest is not None and single is not None
    assert (manifest.figures["processes"], single.figures["processes"]) == (2, 1)
    assert manifest.fingerprint == single.fingerprint
    for figure in ("tokens", "trainable_parameters", "best_step"):
        assert manifest.figures[figure] == single.figures[figure], figure


def kill_all(process: subprocess.Popen[str]) -> None:
    """A power cut: the launcher and what it started, which has sessions of its own."""
    for one in [*psutil.Process(process.pid).children(recursive=True), process]:
        one.kill()
    process.communicate()


@pytest.mark.parametrize("variables", [{}, SHARDED], ids=["whole", "sharded"])
def test_what_two_processes_began_one_can_end(
    dataset: Path, bases: dict[str, Path], tmp_path: Path, variables: dict[str, str]
) -> None:
    steps = {"train.max_steps": 40, "train.evaluations": 4}
    wanted = Run(dataset, tmp_path / "alone", bases["llama"], **steps)
    wanted.alone()
    found = Run(dataset, tmp_path / "together", bases["llama"], **steps)
    process = found.start("--set", "train.checkpoint_every=0.01", **variables)
    checkpoint, deadline = found.folder / "adapter.checkpoint", time.monotonic() + 60
    while not checkpoint.exists():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)
    kill_all(process)
    found.alone()
    manifest = read_manifest(found.folder / "adapter")
    assert manifest is not None and 1 <= manifest.figures["resumed_after_step"] < 40
    require_the_same_training(found, wanted)


def test_what_goes_wrong_is_said_once_and_ends_all(
    dataset: Path, bases: dict[str, Path], tmp_path: Path
) -> None:
    failing = Run(dataset, tmp_path, bases["llama"], **{"train.learning_rate": 1e30, "train.warmup_share": 0})
    code, out, err = failing.launched()
    errors = [line for line in err.splitlines() if line.startswith("error:")]
    assert code != 0 and out == ""
    assert len(errors) == 1 and "lower train.learning_rate" in errors[0]
    # The launcher ends with a traceback of its own, and there is no other.
    assert err.count("Traceback") == 1 and "ChildFailedError" in err, err
    assert [p.name for p in failing.folder.iterdir()] == ["dataset"]
