"""A review in the terminal: one pair at a time, a letter and Enter for each verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import click

from smallhours.corpus.review.editing import as_text, contents_of, proposed
from smallhours.corpus.review.session import Review
from smallhours.domain.errors import InputError
from smallhours.domain.hidden import reveal
from smallhours.domain.messages import Message
from smallhours.domain.reviewing import SPEAKERS
from smallhours.domain.sign_offs import SignOff, Verdict

KEYS = "a approve · e edit · r reject · s skip · q quit"
_SAID = {Verdict.APPROVE: "approved", Verdict.EDIT: "edit recorded", Verdict.REJECT: "rejected"}


def go_through(review: Review) -> None:
    """Offer each waiting pair until the reviewer quits or all are seen."""
    waiting = review.waiting()
    already, total = review.judged(), len(review.pairs)
    click.echo(f"{len(waiting)} of {total} pairs to go through, {already} judged before. {KEYS}")
    signed = 0
    for turn, position in enumerate(waiting, start=1):
        _show(review, position, f"{turn} of {len(waiting)}")
        outcome = _judge(review, position)
        if outcome == "quit":
            break
        signed += outcome == "signed"
    left = total - review.judged()
    click.echo(f"{signed} signed now, {left} still without your verdict; sign-offs in {review.file}")


def _show(review: Review, position: int, progress: str) -> None:
    example = review.pairs[position]
    click.secho(reveal(f"\n{progress}   {example.id} · {example.topic} · {example.locale}"), dim=True)
    for message in example.messages:
        _show_message(message)
    reviews = review.reviews()
    own = reviews.own(example, review.reviewer)
    if own is not None:
        click.secho(f"you said {_SAID[own.verdict]} on {own.at:%Y-%m-%d}", dim=True)
    elif reviews.changed(example):
        click.secho("its words have changed since somebody signed them", dim=True)


def _show_message(message: Message) -> None:
    aside = " (fixed, not learnt)" if message.weight == 0 else ""
    click.secho(f"{SPEAKERS[message.role]}{aside}", bold=True)
    for line in reveal(message.content).split("\n"):
        click.echo(textwrap.fill(line, 88, initial_indent="  ", subsequent_indent="  "))


def _judge(review: Review, position: int) -> str:
    """``signed``, ``skipped`` or ``quit``; asks again where something was wrong."""
    while True:
        key = click.prompt(
            "your verdict (a/e/r/s/q)", type=click.Choice(list("aersq"), False), show_choices=False
        )
        if key in "sq":
            return "skipped" if key == "s" else "quit"
        try:
            sign_off = _sign(review, position, key)
        except (InputError, click.ClickException, UnicodeDecodeError) as error:
            click.echo(f"not recorded: {getattr(error, 'message', error)}", err=True)
            continue
        click.secho(_SAID[sign_off.verdict], fg="green")
        _show_others(review, position)
        return "signed"


def _sign(review: Review, position: int, key: str) -> SignOff:
    if key == "a":
        return review.sign(position, Verdict.APPROVE)
    if key == "r":
        reason = click.prompt("reason", default="", show_default=False)
        return review.sign(position, Verdict.REJECT, reason)
    contents = _edited(review, position)
    reason = click.prompt("why (may be empty)", default="", show_default=False)
    return review.sign(position, Verdict.EDIT, reason, contents)


def _edited(review: Review, position: int) -> Sequence[str]:
    """The new contents, from the reviewer's editor ($EDITOR)."""
    example = review.pairs[position]
    text = click.edit(as_text(example), extension=".txt")
    if text is None:
        raise InputError("nothing was saved in the editor")
    contents = contents_of(text, example)
    proposed(example, contents)  # before asking why
    return contents


def _show_others(review: Review, position: int) -> None:
    """What other reviewers said: shown only now, so that the verdict was the reviewer's own."""
    for one in review.reviews().others(review.pairs[position], review.reviewer):
        reason = f": {one.reason}" if one.reason else ""
        click.echo(reveal(f"  {one.reviewer} said {one.verdict}{reason}"))
