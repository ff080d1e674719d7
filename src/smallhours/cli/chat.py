"""``smallhours chat``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smallhours.cli.options import RUN, with_settings
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.serve.assistant import Assistant, Reply

GOODBYE = ("/quit", "/exit", "/q")


@click.command()
@RUN
@click.option("--locale", default="en", show_default=True, help="Language and country, for example en-GB.")
@with_settings(run="name")
def command(settings: Settings, locale: str) -> None:
    """Talk to RUN in the terminal, through the full safety path. /quit or Ctrl-D ends it.

    \b
    smallhours chat
    smallhours chat mine --locale en-GB
    """
    from smallhours.bootstrap import serving
    from smallhours.safety import replies

    assistant = serving.open_assistant(settings)
    click.secho(replies.disclaimer(locale), dim=True)
    talk(assistant, locale)


def talk(assistant: Assistant, locale: str) -> None:
    """Read, answer, remember, until the person leaves."""
    turns: list[Message] = []
    while True:
        try:
            text = input(click.style("you  ", bold=True)).strip()
        except EOFError:
            click.echo()
            return
        if text in GOODBYE:
            return
        if not text:
            continue
        turns.append(Message(role=Role.USER, content=text))
        reply = assistant.reply(Conversation(messages=tuple(turns), locale=locale))
        turns.append(Message(role=Role.ASSISTANT, content=reply.text))
        show(reply)


def show(reply: Reply) -> None:
    """The reply, and the people who help where they are needed."""
    click.echo(f"\n{reply.text}\n")
    for resource in reply.resources:
        reach = [
            f"call {resource.tel}" if resource.tel else "",
            f"text {resource.sms_text or ''} to {resource.sms}".replace("text  to", "text")
            if resource.sms
            else "",
            f"chat at {resource.chat_url}" if resource.chat else resource.url or "",
        ]
        click.secho(
            f"  {resource.name} ({resource.for_}): " + ", ".join(part for part in reach if part), bold=True
        )
    if reply.resources:
        click.echo()
