"""An interrupted training goes on to the very weights that it would have come to undisturbed."""

from __future__ import annotations

import errno
import math
import random
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from smallhours.domain.settings import TrainSettings
from smallhours.llm.answer_loss import AnswerObjective
from smallhours.train.responder import checkpoint as module
from smallhours.train.responder.batches import epoch_batches
from smallhours.train.responder.checkpoint import CheckpointFile
from smallhours.train.responder.loop import Event, Plan, Progress, Step, train
from smallhours.train.responder.lora import make_optimizer, trainable
from tests.unit.train.conftest import EXAMPLES, adapted_by

STEPS = 9
CLOCKS = {"seconds", "tokens_per_second", "memory"}
# A checkpoint after every step.
ALWAYS = 1e-9


class Interruption(Exception):  # noqa: N818 (not an error: it stands for a signal)
    """Stands for Ctrl-C, a kill or a power cut."""


class Run:
    """One process of a training that may take several."""

    def __init__(
        self, path: Path, said: list[str], identity: str = "same", every: float = ALWAYS, **options: Any
    ) -> None:
        settings = TrainSettings(**{"learning_rate": 0.05, **options})
        model = adapted_by(**options)
        self.parameters = trainable(model)
        self.optimizer = make_optimizer(model, self.parameters, settings)
        self.objective = AnswerObjective(model)
        self.file = CheckpointFile(path, identity, every, said.append)
        self.rows: list[dict[str, Any]] = []

    def go(self, stop_after: int | None = None) -> Progress:
        """Train to the end, or be interrupted just after a step."""
        random.seed(5)
        torch.manual_seed(5)
        saved = self.file.load()
        progress = None
        if saved:
            progress, self.rows = saved.restore(self.parameters, self.optimizer), saved.rows

        def report(event: Event) -> None:
            self.rows.append(asdict(event))
            if isinstance(event, Step) and event.step == stop_after:
                raise Interruption

        return train(
            self.objective,
            self.parameters,
            lambda epoch: epoch_batches(EXAMPLES, 3, 2, 0, epoch),
            self.optimizer,
            self.look,
            Plan(total_steps=STEPS, steps_per_epoch=3, validate_every=2, patience=9, warmup_steps=1),
            report,
            progress,
            lambda now: self.file.offer(now, self.parameters, self.optimizer, torch.float32, self.rows),
        )

    def look(self) -> float:
        """A stand-in for the held-out loss that depends on the weights and goes up and down."""
        return math.cos(9 * sum(float(p.detach().square().sum()) for p in self.parameters.values()))

    def weights(self) -> dict[str, bytes]:
        return {n: p.detach().numpy().tobytes() for n, p in self.parameters.items()}


def without_clocks(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in CLOCKS} for row in rows]


@pytest.mark.parametrize("stop_after", range(1, STEPS + 1))
@pytest.mark.parametrize("options", [{}, {"dropout": 0.3}, {"lora_plus": 4.0}], ids=str)
def test_going_on_gives_the_bytes_of_an_undisturbed_run(
    tmp_path: Path, stop_after: int, options: dict[str, Any]
) -> None:
    whole = Run(tmp_path / "whole", [], every=0, **options)
    expected = whole.go()
    said: list[str] = []
    with pytest.raises(Interruption):
        Run(tmp_path / "c", said, **options).go(stop_after)
    second = Run(tmp_path / "c", said, **options)
    found = second.go()
    assert second.weights() == whole.weights()
    assert without_clocks(second.rows) == without_clocks(whole.rows)
    assert (found.best_step, found.best_loss, found.tokens) == (
        expected.best_step, expected.best_loss, expected.tokens,
    )  # fmt: skip
    for name, weight in expected.best_weights.items():
        assert torch.equal(found.best_weights[name], weight)
    assert said == []


def test_only_the_steps_since_the_last_checkpoint_are_done_again(tmp_path: Path) -> None:
    with pytest.raises(Interruption):
        Run(tmp_path / "c", []).go(stop_after=6)
    saved = Run(tmp_path / "c", []).file.load()
    assert saved is not None and saved.progress.steps == 5


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
    ],
    ids=["emptied", "cut off", "one byte"],
)
def test_a_damaged_checkpoint_is_said_in_one_line_and_training_starts_afresh(
    tmp_path: Path, damage: Any
) -> None:
    with pytest.raises(Interruption):
        Run(tmp_path / "c", []).go(stop_after=6)
    (tmp_path / "c").write_bytes(damage((tmp_path / "c").read_bytes()))
    said: list[str] = []
    run = Run(tmp_path / "c", said, every=0)
    run.go()
    assert [row["step"] for row in run.rows][:2] == [0, 1]
    assert len(said) == 1 and "damaged" in said[0] and "afresh" in said[0] and "\n" not in said[0]


def test_a_checkpoint_of_other_inputs_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(Interruption):
        Run(tmp_path / "c", [], identity="other data").go(stop_after=6)
    said: list[str] = []
    assert Run(tmp_path / "c", said).file.load() is None
    assert len(said) == 1 and "other data, settings or versions" in said[0]


def test_a_full_disk_costs_the_checkpoint_and_not_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Interruption):
        Run(tmp_path / "c", []).go(stop_after=4)
    kept = (tmp_path / "c").read_bytes()

    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    said: list[str] = []
    assert Run(tmp_path / "c", said).go().steps == STEPS
    assert len(said) == 1 and "no checkpoint was written" in said[0] and "no space left" in said[0]
    monkeypatch.undo()
    assert (tmp_path / "c").read_bytes() == kept


def test_checkpoints_are_as_far_apart_as_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, written = [0.0], []
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(module, "write_aside", lambda path, data: written.append(now[0]))
    run = Run(tmp_path / "c", [], every=60)
    for now[0] in (10.0, 59.0, 61.0, 70.0, 120.0, 121.0, 200.0):
        run.file.offer(Progress(3.0, 3.0), run.parameters, run.optimizer, torch.float32, [])
    assert written == [61.0, 121.0, 200.0]


def test_nothing_is_left_after_success(tmp_path: Path) -> None:
    with pytest.raises(Interruption):
        Run(tmp_path / "c", []).go(stop_after=4)
    (tmp_path / "c.partial").touch()
    Run(tmp_path / "c", []).file.remove()
    assert list(tmp_path.iterdir()) == []
