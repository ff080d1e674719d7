"""``smallhours keys``."""

from __future__ import annotations

import json

import click

from smallhours.cli.options import with_settings
from smallhours.domain.errors import SettingsError
from smallhours.domain.settings import Settings


@click.group()
def command() -> None:
    """API keys of the gateway. Only a hash of each is kept; a running gateway takes changes over at once.

    \b
    smallhours keys add counselling-app --days 365
    smallhours keys list
    smallhours keys revoke 1f2e3d4c
    smallhours serve --set gateway.anonymous=false
    """


@command.command()
@click.argument("name")
@click.option(
    "--scopes",
    default="chat,conversations",
    show_default=True,
    help="chat, conversations, metrics, operator, reviewer.",
)
@click.option("--days", type=click.IntRange(min=1), help="Days until it expires.  [default: never]")
@click.option(
    "--credential",
    default="",
    metavar="TEXT",
    help="Profession, registration or post of who signs pairs; a reviewer's key needs it.",
)
@with_settings()
def add(settings: Settings, name: str, scopes: str, days: int | None, credential: str) -> None:
    """Make a key called NAME and print it, this once.

    \b
    smallhours keys add prometheus --scopes metrics
    smallhours keys add "Ana Osei" --scopes operator --days 90
    smallhours keys add "Bo Li" --scopes reviewer --credential "GP" --days 90
    """
    from smallhours.bootstrap.gateway import api_keys
    from smallhours.serve.gateway.api_keys import SCOPES

    asked = {scope.strip() for scope in scopes.split(",") if scope.strip()}
    if not asked or asked - set(SCOPES):
        raise SettingsError(f"--scopes {scopes}: the scopes are {', '.join(SCOPES)}, separated by commas")
    if "reviewer" in asked and not (name.strip() and credential.strip()):
        raise SettingsError(
            "--credential: a reviewer's key needs it, and a name: sign-offs say who gave them and with what "
            "credential"
        )
    scoped = tuple(s for s in SCOPES if s in asked)
    secret, key = api_keys(settings).add(name, scoped, days, credential.strip())
    until = f"until {key.expires:%Y-%m-%d}" if key.expires else "until it is revoked"
    click.echo(
        f"key {key.id} ({name}), for {', '.join(key.scopes)}, {until}. It is shown this once:", err=True
    )
    click.echo(secret)


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_settings()
def list_(settings: Settings, as_json: bool) -> None:
    """Show every key, without the keys.

    \b
    smallhours keys list --json
    """
    from smallhours.bootstrap.gateway import api_keys

    keys = api_keys(settings).all()
    if as_json:
        click.echo(json.dumps([key.model_dump(mode="json", exclude={"hash"}) for key in keys], indent=1))
        return
    for key in keys:
        if key.revoked:
            state = f"revoked {key.revoked:%Y-%m-%d}"
        else:
            state = f"until {key.expires:%Y-%m-%d}" if key.expires else "no end"
        click.echo(f"{key.id}  {key.name:24}  {','.join(key.scopes):28}  {state}")
    if not keys:
        click.echo("no keys; 'smallhours keys add NAME' makes one")


@command.command()
@click.argument("key")
@with_settings()
def revoke(settings: Settings, key: str) -> None:
    """Refuse KEY (its id) from now on.

    \b
    smallhours keys revoke 1f2e3d4c
    """
    from smallhours.bootstrap.gateway import api_keys

    gone = api_keys(settings).revoke(key)
    click.echo(f"key {gone.id} ({gone.name}) is refused from now on")
