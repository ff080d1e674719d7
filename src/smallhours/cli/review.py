"""``smallhours corpus review``: sign off pairs, in the terminal or on a page of this machine."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smallhours.cli.console import announce
from smallhours.cli.options import with_settings
from smallhours.domain.settings import ServeSettings, Settings

if TYPE_CHECKING:
    from smallhours.corpus.review.session import Review
    from smallhours.domain.records import Example
    from smallhours.domain.reviewing import Status


@click.command()
@click.argument("file", required=False)
@click.option("--reviewer", metavar="NAME", help="Your name, as it is to be recorded.")
@click.option("--credential", metavar="TEXT", help="Your profession, registration or post, likewise.")
@click.option(
    "--sign-offs",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where sign-offs are kept.  [default: FILE.signoffs.jsonl, or signoffs.jsonl]",
)
@click.option("--topic", help="Only pairs of this topic.")
@click.option("--all", "again", is_flag=True, help="Also what you have judged before.")
@click.option("--browser", is_flag=True, help="Review on a page that only this machine can open.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page; 0 picks a free one.")
@click.option("--status", "status_only", is_flag=True, help="Print where the review stands, and stop.")
@click.option("--apply", "target", type=click.Path(path_type=Path), help="Write a copy with the edits in it.")
@with_settings(file="data", sign_offs="corpus.sign_offs")
def review(
    settings: Settings,
    reviewer: str | None,
    credential: str | None,
    topic: str | None,
    again: bool,
    browser: bool,
    port: int,
    status_only: bool,
    target: Path | None,
) -> None:
    """Approve, edit or reject the pairs of FILE (default: the built-in ones), one at a time.

    Each verdict is added at once to the file of sign-offs, so you can stop at any time and go on later. Name
    and credential are recorded as you give them; nobody checks them.

    \b
    smallhours corpus review pairs.csv --reviewer "Ana Osei" --credential "clinical psychologist"
    smallhours corpus review pairs.csv --reviewer "Ana Osei" --credential "clinical psychologist" --browser
    smallhours corpus review pairs.csv --status
    smallhours corpus review pairs.csv --apply corrected.jsonl
    """
    from smallhours.cli.review_terminal import go_through
    from smallhours.corpus.review.ledger import read_ledger, sign_offs_path
    from smallhours.corpus.review.session import Review, of_topic, signing_as
    from smallhours.corpus.review.status import review_status
    from smallhours.corpus.sources import Reading, load_pairs, source_name

    reading = Reading(settings.corpus.columns, settings.corpus.sheet)
    path = sign_offs_path(settings.data, settings.corpus.sign_offs)
    needs_name = reviewer is not None or not (status_only or target)
    who = signing_as(reviewer, credential) if needs_name else None
    pairs = load_pairs(settings.data, reading)
    if target is not None:
        apply_edits(pairs, path, target)
    elif status_only or who is None:
        chosen = of_topic(pairs, topic)
        click.echo(f"{source_name(settings.data)}: {len(chosen)} pairs; sign-offs in {path}")
        show_status(review_status(chosen, read_ledger(path), who))
    else:
        session = Review(of_topic(pairs, topic), path, who, again)
        for note in read_ledger(path).notes:
            announce(f"note: {note}")
        announce(f"You sign as {who}, as given; nobody checks it. Sign-offs: {path}")
        if browser:
            serve_page(session, port)
        else:
            go_through(session)


def apply_edits(pairs: list[Example], path: Path, target: Path) -> None:
    """Write the corrected copy and say what became of each kind of edit."""
    from smallhours.corpus.review.corrected import corrected, write_corrected
    from smallhours.corpus.review.ledger import read_ledger

    ledger = read_ledger(path, must_exist=True)
    outcome = corrected(pairs, ledger)
    write_corrected(target, outcome.pairs)
    for note in ledger.notes:
        announce(f"note: {note}")
    click.echo(f"{target}: {len(outcome.pairs)} pairs, {len(outcome.edited)} with the edit proposed")
    if outcome.disputed:
        click.echo(f"left as they were, for reviewers differ: {', '.join(outcome.disputed)}")
    click.echo(
        "Edited words are unreviewed until somebody signs them:\n"
        f"  smallhours corpus review {target} --sign-offs {path} --reviewer NAME --credential TEXT"
    )


def show_status(status: Status) -> None:
    """Counts by state, who judged how many, agreement, disputes."""
    from smallhours.domain.hidden import reveal

    for note in status.notes:
        click.echo(f"note: {note}")
    click.echo("  " + " · ".join(f"{state} {count}" for state, count in status.states.items()))
    if status.changed:
        click.echo(f"  {status.changed} signed once and changed since: those sign-offs hold no longer")
    for judged in status.reviewers:
        click.echo(f"  {judged.reviewer}: judged {judged.pairs}  (name and credential as given)")
    for agreement in status.agreements:
        click.echo(f"  {agreement.one.name} and {agreement.other.name}: {agreement.kappa}")
    for dispute in status.disputes:
        click.echo(f"disputed: {dispute.pair}")
        for one in dispute.sign_offs:
            click.echo(reveal(f"  {one.reviewer}: {one.verdict}" + (f", {one.reason}" if one.reason else "")))


def serve_page(session: Review, port: int) -> None:
    """The page, on the loopback address alone, under a path that nobody can guess."""
    import uvicorn

    from smallhours.bootstrap import serving
    from smallhours.cli.review_page.app import create_page

    bound = serving.bind(ServeSettings(host="127.0.0.1", port=port))
    token = secrets.token_urlsafe(32)
    announce(f"review: http://127.0.0.1:{bound.getsockname()[1]}/{token}/   (Ctrl-C to stop)")
    announce("Only this machine can open it, and only with this whole address; do not pass it on.")
    app = create_page(session, token)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    uvicorn.Server(config).run(sockets=[bound])
