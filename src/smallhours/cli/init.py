"""``smallhours init``: a new project folder."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """A new project folder DIR: ten pairs to begin from, settings, and a README that says what to do next.

    \b
    smallhours init my-project
    cd my-project
    smallhours run --config smallhours.toml
    """
    from smallhours.corpus.project import create_project

    for path in create_project(folder):
        click.echo(str(path))
    click.echo(f"next: read {folder / 'README.md'}, or try it at once with")
    click.echo(f"  smallhours run --config {shlex.quote(str(folder / 'smallhours.toml'))}")
