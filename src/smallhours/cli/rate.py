"""``smallhours rate``: which of two answers is better, asked blind, one after the other."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smallhours.cli.options import RATINGS, with_settings
from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.evaluate.judging.items import Choice, Item

KEYS = "a · b · n neither is better · s skip · q quit"


@click.command()
@click.argument("run", required=False)
@click.option("--rater", metavar="TEXT", help='Who you are: "Ana Osei, clinical psychologist".')
@RATINGS
@click.option("--agreement", is_flag=True, help="Print how far raters agree, and stop.")
@with_settings()
def command(settings: Settings, run: str | None, rater: str | None, ratings: Path, agreement: bool) -> None:
    """Say which of two answers you would rather have said to somebody. You are not told whose they are.

    Without RUN: the answers that the project's own ratings are about, so that yours can be held against them
    and a judge against both. With RUN: the answers that its evaluation wrote. Each rating is added at once to
    the file, so you can stop at any time and go on later. Your name is recorded as you give it.

    \b
    smallhours rate --rater "Ana Osei, clinical psychologist"
    smallhours rate mine --rater "Bo Li, peer supporter" --ratings bo.jsonl
    smallhours rate --agreement
    """
    from smallhours.evaluate.judging.items import differing, matches
    from smallhours.evaluate.judging.ratings import BUILT_IN, agreements, by_rater, items_of, read_ratings
    from smallhours.evaluate.judging.run import read_answers

    given, own = read_ratings(BUILT_IN), read_ratings(ratings, must_exist=False)
    if agreement:
        for found in agreements(by_rater([*given, *own])):
            click.echo(f"{found.one} and {found.other}: {found.kappa}")
        return
    if not (rater and rater.strip()):
        raise click.UsageError('--rater: say who you are, for example --rater "Ana Osei, nurse"')
    items = items_of(given)
    if run is not None:
        items = differing(matches(read_answers(settings.runs / run)))
    go_through(items, ratings, rater.strip())


def go_through(items: Sequence[Item], path: Path, rater: str) -> None:
    """Offer each item that the rater has not rated, until all are or the rater quits."""
    from smallhours.evaluate.judging.ratings import read_ratings, waiting

    left = waiting(items, read_ratings(path, must_exist=False), rater)
    click.echo(f"{len(left)} of {len(items)} to rate, as {rater} (nobody checks it). {KEYS}")
    rated = 0
    for number, item in enumerate(left, start=1):
        choice = _choose(item, rater, f"{number} of {len(left)}")
        if choice == "quit":
            break
        if choice is not None:
            why = click.prompt("why (may be empty)", default="", show_default=False)
            _keep(path, item, choice, why, rater)
            rated += 1
    click.echo(f"{rated} rated now; ratings in {path}")


def _choose(item: Item, rater: str, progress: str) -> Choice | str | None:
    """The choice, ``quit``, or ``None`` for later. The order is drawn anew for each rater."""
    from smallhours.evaluate.judging.items import OTHER

    swapped = item.swapped(rater)
    shown = (item.two, item.one) if swapped else (item.one, item.two)
    click.secho(f"\n{progress}", dim=True)
    for title, text in zip(("Somebody writes", "A", "B"), (item.question, *shown), strict=True):
        click.secho(title, bold=True)
        _say(text)
    key = click.prompt("better (a/b/n/s/q)", type=click.Choice(list("abnsq"), False), show_choices=False)
    if key in "sq":
        return "quit" if key == "q" else None
    choices: dict[str, Choice] = {"a": "one", "b": "two", "n": "tie"}
    return OTHER[choices[key]] if swapped else choices[key]


def _say(text: str) -> None:
    for line in "".join(c if c.isprintable() or c == "\n" else "�" for c in text).split("\n"):
        click.echo(textwrap.fill(line, 88, initial_indent="  ", subsequent_indent="  "))


def _keep(path: Path, item: Item, choice: str, why: str, rater: str) -> None:
    from datetime import UTC, datetime

    from smallhours.evaluate.judging.ratings import Rating, append_rating

    fields = {**item.model_dump(), "better": choice, "why": why.strip(), "rater": rater}
    append_rating(path, Rating.model_validate({**fields, "at": datetime.now(UTC).date()}))
