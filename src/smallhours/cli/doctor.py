"""``smallhours doctor``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smallhours.cli.options import RUN, with_settings
from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.bootstrap.doctor import Check

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command()
@RUN
@click.option(
    "--helplines",
    "edited",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Only check helpline files: a file in place of its namesake, or a folder in place of all.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@with_settings(run="name")
def command(settings: Settings, edited: Path | None, as_json: bool) -> int:
    """Examine this installation, the words and numbers people get, and RUN: one line each, with the remedy.

    Nothing is changed, and no secret is printed. 'error' is what would stop the service, a fault in a
    helpline file, and every helpline last checked more than 180 days ago; what is a 'warning' works as it is.

    \b
    smallhours doctor
    smallhours doctor mine --config smallhours.toml --json
    smallhours doctor --helplines europe.toml

    Exit codes: 0 no error, 1 at least one.
    """
    from smallhours.bootstrap import doctor

    found = doctor.helplines_of(edited) if edited else doctor.examine(settings)
    if as_json:
        checks = list(found)
        click.echo(
            json.dumps(
                {"ok": _sound(checks), "checks": list(map(asdict, checks))}, ensure_ascii=False, indent=1
            )
        )
    else:
        checks = []
        for check in found:
            checks.append(check)
            for line in lines(check):
                click.echo(line)
        click.echo(summary(checks))
    return 0 if _sound(checks) else 1


def lines(check: Check) -> Iterator[str]:
    """A check as a person reads it."""
    yield f"{click.style(f'{check.state:<8}', fg=COLOURS[check.state])} {check.name}: {check.said}"
    yield from (f"{'':<11}{detail}" for detail in check.details)
    if check.remedy:
        yield f"{'':<9}→ {check.remedy}"


def summary(checks: Iterable[Check]) -> str:
    """How many of each."""
    states = [check.state.value for check in checks]
    return ", ".join(f"{states.count(state)} {state}" for state in COLOURS)


def _sound(checks: Iterable[Check]) -> bool:
    return all(check.state != "error" for check in checks)
