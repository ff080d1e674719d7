"""What the person at the terminal sees: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import click

from smallhours.cli.launched import is_main

# Plain output reports training at most this often, in seconds.
PLAIN_INTERVAL = 15.0
LIVE_INTERVAL = 0.5

T = TypeVar("T")


def announce(line: str) -> None:
    """A line of progress, on stderr so that stdout stays readable by programs; one process says it."""
    if is_main():
        click.echo(line, err=True)


class TrainingReport(Protocol):
    """Takes the training loop's events."""

    def __call__(self, event: Any) -> None:
        """Show one step or one look at the unseen groups."""
        ...


@contextmanager
def training_report() -> Iterator[TrainingReport]:
    """A live bar on a terminal, a line now and then elsewhere."""
    if not sys.stderr.isatty() or not is_main():
        yield _PlainTraining()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("training"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("loss {task.fields[loss]:.2f}  smoothed {task.fields[smoothed]:.2f}"),
        TextColumn("unseen {task.fields[unseen]:.2f}"),
        TextColumn("{task.fields[speed]:.0f} tok/s  {task.fields[memory]}"),
        TextColumn("{task.fields[left]} left"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _LiveTraining(progress)


class _LiveTraining:
    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._task: Any = None
        self._unseen = float("nan")
        self._clock = _Clock()

    def __call__(self, event: Any) -> None:
        if hasattr(event, "validation_loss"):
            self._unseen = event.validation_loss
            if self._task is not None:
                self._progress.update(self._task, unseen=self._unseen)
            return
        shown = {
            "loss": event.loss,
            "smoothed": event.smoothed_loss,
            "unseen": self._unseen,
            "speed": event.tokens_per_second,
            "memory": _gigabytes(event.memory),
            "left": _minutes(self._clock.left(event)),
        }
        if self._task is None:
            self._task = self._progress.add_task("", total=event.of, **shown)
        self._progress.update(self._task, completed=event.step, total=event.of, **shown)


class _Clock:
    """Seconds left, from the pace since the first step that was seen: a run may have begun in its middle."""

    def __init__(self) -> None:
        self._first: Any = None

    def left(self, event: Any) -> float:
        if self._first is None or event.step <= self._first.step:
            self._first = event
            return float(event.seconds / event.step * (event.of - event.step))
        pace = (event.seconds - self._first.seconds) / (event.step - self._first.step)
        return float(pace * (event.of - event.step))


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


class _PlainTraining:
    def __init__(self) -> None:
        self._last = float("-inf")
        self._clock = _Clock()

    def __call__(self, event: Any) -> None:
        if hasattr(event, "validation_loss"):
            note = " (best so far)" if event.best else ""
            announce(f"training: step {event.step}, loss on unseen groups {event.validation_loss:.3f}{note}")
            return
        now, left = time.monotonic(), self._clock.left(event)
        if now - self._last < PLAIN_INTERVAL and event.step != event.of:
            return
        self._last = now
        announce(
            f"training: step {event.step}/{event.of}, loss {event.smoothed_loss:.3f}, "
            f"{event.tokens_per_second:.0f} tokens/s, {_gigabytes(event.memory)}, about {left:.0f} s left"
        )


def counting(what: str, done: int, total: int) -> None:
    """Progress of a countable job: every fifth and the last on plain output."""
    if sys.stderr.isatty():
        click.echo(f"\r{what} {done}/{total} ", err=True, nl=done == total)
    elif done % 5 == 0 or done == total:
        announce(f"evaluation: {what} {done}/{total}")


def counted(rows: Iterable[T], what: str) -> Iterator[T]:
    """The same rows; how many have been worked on, and how fast, is said now and then while it takes long."""
    live = sys.stderr.isatty()
    interval = LIVE_INTERVAL if live else PLAIN_INTERVAL
    began = last = time.monotonic()
    shown = False
    for done, row in enumerate(rows):
        now = time.monotonic()
        if now - last >= interval:
            last, shown = now, True
            line = f"{what} {done:,} rows, {done / (now - began):,.0f} a second"
            if live:
                click.echo(f"\r{line} ", err=True, nl=False)
            else:
                announce(line)
        yield row
    if live and shown:
        click.echo("", err=True)
