"""``smallhours corpus``: check, build, show."""

from __future__ import annotations

import json

import click

from smallhours.cli.console import announce
from smallhours.cli.corpus_check import check
from smallhours.cli.options import RUN, with_settings
from smallhours.domain.settings import Settings


@click.group()
def command() -> None:
    """Check, build and show pairs."""


command.add_command(check)


@command.command()
@click.option("--data", help="Pairs: a file, hf:owner/name, or builtin:98 …  [default: builtin:98]")
@click.option("--name", help="Name of the run folder.  [default: default]")
@with_settings(data="data", name="name")
def build(settings: Settings) -> None:
    """Group, split and augment pairs into runs/NAME/dataset.

    \b
    smallhours corpus build --data pairs.csv --name mine
    """
    from smallhours import bootstrap

    manifest = bootstrap.build_dataset(settings, announce)
    click.echo(json.dumps(manifest.figures, ensure_ascii=False, indent=1))


@command.command()
@RUN
@click.option(
    "--split", type=click.Choice(["train", "validation", "test"]), default="train", show_default=True
)
@click.option("--limit", type=int, default=10, show_default=True, help="How many to show.")
@with_settings(run="name")
def show(settings: Settings, split: str, limit: int) -> None:
    """Browse the dataset of RUN, rewordings and their parents included.

    \b
    smallhours corpus show default --split test --limit 5
    """
    from smallhours.domain.records import read_examples

    for example in read_examples(settings.run_folder / "dataset" / f"{split}.jsonl")[:limit]:
        lineage = f"  from {example.parent} by {example.rewording}" if example.parent else ""
        click.secho(f"{example.id}  {example.topic}  group {example.group}{lineage}", dim=True)
        click.echo(f"  Q  {example.question}\n  A  {example.answer}\n")
