"""Events become curves; a missing package is said before any work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from smallhours.domain.errors import ResourceError
from smallhours.train.responder.loop import Step, Validation
from smallhours.train.responder.tensorboard import EventFiles, summary_writer


class FakeWriter:
    """Keeps what it is given."""

    def __init__(self, log_dir: str, purge_step: int) -> None:
        self.log_dir, self.purge_step = log_dir, purge_step
        self.points: list[tuple[str, float, int]] = []
        self.flushed, self.closed = 0, False

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        self.points.append((tag, scalar_value, global_step))

    def flush(self) -> None:
        self.flushed = len(self.points)

    def close(self) -> None:
        self.closed = True


def step(number: int) -> Step:
    return Step(number, 9, 0.1, loss=3.0, smoothed_loss=3.2, learning_rate=1e-3,
                tokens_per_second=400.0, seconds=1.0, memory=7)  # fmt: skip


def test_each_figure_is_a_curve_and_a_look_makes_them_readable(tmp_path: Path) -> None:
    made: list[FakeWriter] = []

    def make(**options: Any) -> FakeWriter:
        made.append(FakeWriter(**options))
        return made[-1]

    events = EventFiles(tmp_path, make)
    events(step(6))
    events(Validation(6, 0.5, 2.5, best=True, seconds=2.0))
    events.close()
    (writer,) = made
    assert writer.log_dir == str(tmp_path)
    assert writer.purge_step == 6, "what an interrupted run wrote from there on is hidden"
    assert ("train/loss", 3.0, 6) in writer.points and ("validation/loss", 2.5, 6) in writer.points
    assert len({tag for tag, _, _ in writer.points}) == 6 == writer.flushed
    assert writer.closed


def test_without_an_event_there_is_no_file(tmp_path: Path) -> None:
    EventFiles(tmp_path, FakeWriter).close()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ResourceError, match="pip install tensorboard"):
        summary_writer()
