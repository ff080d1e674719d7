"""What training says of itself on plain output and on a terminal."""

from __future__ import annotations

import io

import pytest

from smallhours.cli import console
from smallhours.train.responder.loop import Step, Validation


def step(number: int, seconds: float) -> Step:
    return Step(number, 10, 0.1, loss=3.5, smoothed_loss=3.25, learning_rate=1e-3,
                tokens_per_second=412.0, seconds=seconds, memory=2_300_000_000)  # fmt: skip


def test_plain_lines_tell_loss_speed_memory_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with console.training_report() as report:
        report(Validation(0, 0.0, 4.0, best=True, seconds=0.0))
        report(step(1, 2.0))
        report(step(2, 4.0))
        report(step(10, 20.0))
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "training: step 0, loss on unseen groups 4.000 (best so far)",
        "training: step 1/10, loss 3.250, 412 tokens/s, 2.3 GB, about 18 s left",
        "training: step 10/10, loss 3.250, 412 tokens/s, 2.3 GB, about 0 s left",
    ]


def test_time_left_is_told_from_the_pace_since_going_on() -> None:
    clock = console._Clock()
    clock.left(step(5, 500.0))
    assert clock.left(step(6, 501.0)) == pytest.approx(4.0)
    assert clock.left(step(1, 3.0)) == pytest.approx(27.0), "another training began"


def test_a_terminal_shows_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(console.sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    with console.training_report() as report:
        report(Validation(0, 0.0, 4.0, best=True, seconds=0.0))
        report(step(4, 8.0))
    shown = screen.getvalue()
    for part in ("4/10", "loss 3.50", "smoothed 3.25", "unseen 4.00", "412 tok/s", "2.3 GB", "0:12 left"):
        assert part in shown
