"""``smallhours memory``."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from smallhours.cli.options import with_settings
from smallhours.domain.errors import MissingError, RefusedError
from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.bootstrap.remembering import Room

T = TypeVar("T")
REASON = click.option("--reason", required=True, help="Why; it is written down first.")


@click.group()
def command() -> None:
    """What people agreed to have remembered. Every look at it is written down.

    \b
    smallhours memory status
    smallhours memory rotate
    smallhours memory show ID --reason "the person asked for help with their account"
    smallhours memory audit
    """


def _in_room(settings: Settings, work: Callable[[Room], Awaitable[T]]) -> T:
    from smallhours.bootstrap import remembering

    async def run() -> T:
        if not remembering.anything_remembered(settings):
            raise MissingError(f"{remembering.memory_url(settings)}: nobody has agreed to be remembered yet")
        room = remembering.open_room(settings)
        try:
            return await work(room)
        finally:
            await room.memory.close()

    return asyncio.run(run())


@command.command()
@with_settings()
def status(settings: Settings) -> None:
    """How many conversations there are, and which master keys wrap their keys.

    \b
    smallhours memory status
    """
    for name, count in sorted(_in_room(settings, lambda room: room.keyring.masters_in_use()).items()):
        click.echo(f"{name}: {count} conversations")


@command.command()
@with_settings()
def purge(settings: Settings) -> None:
    """Delete now what has been kept long enough. A running gateway does so every hour.

    \b
    smallhours memory purge
    """
    click.echo(f"{_in_room(settings, lambda room: room.retention.purge())} conversations deleted")


@command.command()
@click.option("--drop-old", is_flag=True, help="Take master keys that wrap nothing any more out of the file.")
@with_settings()
def rotate(settings: Settings, drop_old: bool) -> None:
    """Make a new master key and wrap every conversation's key with it, while gateways run.

    Master keys in a variable or behind a hook are changed there; this then wraps with the new one.

    \b
    smallhours memory rotate
    smallhours memory rotate --drop-old
    """
    from smallhours.bootstrap import remembering
    from smallhours.serve.memory.masters import add_master, keep_masters

    path = remembering.master_file(settings)
    if path is not None and not drop_old:
        click.echo(f"{path}: new master key {add_master(path)}")
    if not remembering.anything_remembered(settings):
        return

    async def wrap(room: Room) -> tuple[int, dict[str, int]]:
        return await room.keyring.rewrap(), await room.keyring.masters_in_use()

    count, used = _in_room(settings, wrap)
    click.echo(f"{count} keys wrapped anew")
    if path is not None and drop_old:
        dropped = keep_masters(path, set(used))
        click.echo(f"{path}: dropped {', '.join(dropped) or 'none'}")


@command.command()
@click.argument("conversation")
@REASON
@with_settings()
def show(settings: Settings, conversation: str, reason: str) -> None:
    """Print a conversation as JSON. Who asked, and why, is on disk before anything is read.

    \b
    smallhours memory show 4f… --reason "court order 12/2026"
    """
    from smallhours.serve.gateway.schemas import remembered_fields

    async def read(room: Room) -> dict[str, object]:
        await room.audit.write(getpass.getuser(), "show", conversation, reason)
        remembered = await room.memory.read_as_operator(conversation)
        if remembered is None:
            raise MissingError(f"conversation {conversation}: gone, or never there")
        return remembered_fields(remembered)

    click.echo(json.dumps(_in_room(settings, read), indent=1, ensure_ascii=False))


@command.command()
@click.argument("conversation")
@REASON
@with_settings()
def forget(settings: Settings, conversation: str, reason: str) -> None:
    """Delete a conversation, its key first.

    \b
    smallhours memory forget 4f… --reason "asked by letter"
    """

    async def delete(room: Room) -> bool:
        await room.audit.write(getpass.getuser(), "forget", conversation, reason)
        return await room.memory.forget(conversation)

    if not _in_room(settings, delete):
        raise MissingError(f"conversation {conversation}: gone, or never there")
    click.echo("deleted")


@command.command()
@with_settings()
def audit(settings: Settings) -> None:
    """Print who looked at what, when and why; exit 1 if an entry was changed or taken out.

    \b
    smallhours memory audit
    """
    entries, broken = _in_room(settings, lambda room: room.audit.entries())
    for entry in entries:
        who = f"{entry.at:%Y-%m-%d %H:%M:%S}Z  {entry.operator}  {entry.action}  {entry.conversation}"
        click.echo(f"{who}  {entry.reason}  {entry.chain[:12]}")
    if broken is not None:
        raise RefusedError(f"the chain breaks at entry {broken + 1}: something was changed or taken out")
