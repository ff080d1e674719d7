"""``smallhours plan``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from smallhours.cli.options import with_settings
from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.train.planner import Forecast, TrainingPlan

HEADER = ("base", "parameters", "trained", "disk", "to train", "to evaluate", "to serve", "time", "fits")
UNCERTAIN = (
    "Times hold to a factor of {:g} to {:g} on a machine that does nothing else (a busy one takes several "
    "times as long), memory to train to a factor of {:g} to {:g}."
)


@click.command()
@click.option("--data", help="Pairs: a file, hf:owner/name, or builtin:98 …  [default: builtin:en]")
@click.option("--base", help="A further base, beside those of the catalog.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@with_settings(data="data", base="base")
def command(settings: Settings, as_json: bool) -> None:
    """What this machine can train: time, memory and disk of each base, forecast from a measured matrix rate.

    \b
    smallhours plan
    smallhours plan --data pairs.csv --set train.rank=8 --set train.max_steps=0
    smallhours plan --json
    """
    from smallhours.bootstrap import planning

    found = planning.plan(settings)
    if as_json:
        click.echo(json.dumps(as_object(found), ensure_ascii=False, indent=1))
        return
    for line in report_lines(found):
        click.echo(line)


def as_object(found: TrainingPlan) -> dict[str, Any]:
    """The plan as JSON has it: bytes, seconds, GFLOP/s."""
    whole = asdict(found)
    del whole["forecasts"]
    bases = [{**asdict(one), "seconds_range": list(one.seconds_range)} for one in found.forecasts]
    return {**whole, "bases": bases, "recommendation": found.recommendation}


def report_lines(found: TrainingPlan) -> list[str]:
    """The plan as a person reads it."""
    from smallhours.train.planner import MEMORY_FACTORS, TIME_FACTORS, gigabytes

    machine, work = found.machine, found.workload
    gpu = "no GPU"
    if machine.gpu is not None:
        gpu = f"{machine.gpu.name} with {gigabytes(machine.gpu.memory)}"
    return [
        f"machine: {machine.cores} cores, {gigabytes(machine.memory)} memory "
        f"({gigabytes(machine.available)} available), {gigabytes(machine.disk)} free disk, {gpu}",
        f"matrix rate: {machine.rates.float32:.0f} GFLOP/s in float32, {machine.rates.bfloat16:.0f} in "
        f"bfloat16; training uses {found.dtype}",
        f"data: {found.data}, {found.pairs:,} pairs, {found.examples:,} examples to train on; {work.steps:,} "
        f"steps of {work.batch}, about {work.tokens:.0f} tokens an example",
        "",
        *table([HEADER, *map(row, found.forecasts)]),
        "",
        UNCERTAIN.format(*TIME_FACTORS, *MEMORY_FACTORS),
        f"recommendation: {found.recommendation}",
    ]


def row(one: Forecast) -> tuple[str, ...]:
    """One base's cells."""
    from smallhours.train.planner import duration, gigabytes

    return (
        one.name,
        millions(one.parameters),
        millions(one.trainable),
        gigabytes(one.disk),
        gigabytes(one.train_memory),
        gigabytes(one.evaluate_memory),
        gigabytes(one.serve_memory),
        duration(one.seconds),
        {"fits": "yes", "tight": "tight", "too large": "no"}[one.fit],
    )


def millions(count: int) -> str:
    """``134.5M``."""
    return f"{count / 1e6:.1f}M"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with columns of one width: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in rows
    ]
