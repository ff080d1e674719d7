"""``smallhours compare``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smallhours.cli.console import announce
from smallhours.cli.options import with_settings
from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.evaluate.compare import Evaluated
    from smallhours.evaluate.metrics import Figure


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--all", "every", is_flag=True, help="Every figure, not the chosen few.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings()
def command(settings: Settings, runs: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Put evaluated RUNS side by side: names of run folders, or paths to them.

    \b
    smallhours compare default mine
    smallhours compare runs/a runs/b --all
    """
    from smallhours.evaluate.compare import cautions, read_run, rows

    found = [read_run(Path(run) if "/" in run else settings.runs / run) for run in runs]
    for caution in cautions(found):
        announce(f"warning: {caution}")
    table = rows(found, every=every)
    if as_json:
        click.echo(json.dumps(_as_json(found, table), indent=1))
        return
    lines = [["", *(run.name for run in found)], ["gate", *("pass" if r.passed else "FAIL" for r in found)]]
    lines += [[name, *map(_shown, figures)] for name, figures in table]
    for line in _aligned(lines):
        click.echo(line)
    for run in found:
        if run.failed:
            click.echo(f"{run.name} fails: {', '.join(run.failed)}")


def _shown(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    between = "" if figure.low is None else f" [{figure.low:.3f}, {figure.high:.3f}]"
    return f"{figure.value:.3f}{between} n={figure.n}"


def _aligned(lines: list[list[str]]) -> list[str]:
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]


def _plain(figure: Figure | None) -> dict[str, object] | None:
    return None if figure is None else figure.model_dump()


def _as_json(
    found: list[Evaluated], table: list[tuple[str, list[Figure | None]]]
) -> dict[str, dict[str, object]]:
    return {
        run.name: {
            "pass": run.passed,
            "failed": list(run.failed),
            "weights": run.weights,
            "figures": {name: _plain(figures[at]) for name, figures in table},
        }
        for at, run in enumerate(found)
    }
