"""``smallhours corpus``: check, review, build, show, card."""

from __future__ import annotations

import json
from pathlib import Path

import click

from smallhours.cli.console import announce
from smallhours.cli.corpus_check import check
from smallhours.cli.options import REVIEWED_ONLY, RUN, SIGN_OFFS, with_settings
from smallhours.cli.review import review
from smallhours.domain.settings import Settings


@click.group()
def command() -> None:
    """Check, review, build, show and describe pairs."""


command.add_command(review)


command.add_command(check)


@command.command()
@click.option("--data", help="Pairs: a file, hf:owner/name, or builtin:98 …  [default: builtin:en]")
@click.option("--name", help="Name of the run folder.  [default: default]")
@REVIEWED_ONLY
@SIGN_OFFS
@with_settings(data="data", name="name", reviewed_only="corpus.reviewed_only", sign_offs="corpus.sign_offs")
def build(settings: Settings) -> None:
    """Group, split and augment pairs into runs/NAME/dataset. Rejected pairs are left out.

    \b
    smallhours corpus build --data pairs.csv --name mine
    smallhours corpus build --data pairs.csv --name mine --reviewed-only
    """
    from smallhours.bootstrap import stages

    manifest = stages.build_dataset(settings, announce)
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


@command.command()
@click.argument("file", required=False)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write.")
@with_settings(file="data")
def card(settings: Settings, out: Path) -> None:
    """Write a data card of FILE (default: the built-in pairs): README.md and pictures.

    Everything in it is counted from the data. Every built dataset has one, too.

    \b
    smallhours corpus card pairs.csv --out card
    smallhours corpus card builtin:en --out card
    """
    from smallhours.corpus.card import CARD, make_card

    facts = make_card(settings, out, announce)
    click.echo(f"card: {out / CARD} ({facts.pairs:,} pairs)")
