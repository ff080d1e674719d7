"""``smallhours answer``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click

from smallhours.cli.lines import finish, process
from smallhours.cli.options import RUN, with_settings
from smallhours.cli.screen import screened
from smallhours.domain.risk import Resource
from smallhours.domain.settings import Policy, Settings
from smallhours.serve.assistant import Reply


@click.command()
@RUN
@click.option(
    "--in", "source", type=click.Path(path_type=Path), required=True, help="JSON Lines; - for stdin."
)
@click.option(
    "--out", "target", type=click.Path(path_type=Path), required=True, help="JSON Lines; - for stdout."
)
@click.option(
    "--policy", type=click.Choice(["grounded", "generate", "vetted", "base"]), help="How to answer."
)
@with_settings(run="name")
def command(settings: Settings, source: Path, target: Path, policy: str | None) -> None:
    """Answer each text or conversation through the full pipeline, one line out per line in.

    \b
    smallhours answer default --in questions.jsonl --out answers.jsonl
    smallhours answer default --in questions.jsonl --out base.jsonl --policy base
    """
    from smallhours.bootstrap import serving

    chosen = cast(Policy, policy or settings.generation.policy)
    assistant = serving.open_assistant(
        settings, with_model=chosen in ("grounded", "generate"), with_base=chosen == "base"
    )
    finish(process(source, target, lambda many: [answered(assistant.reply(one, chosen)) for one in many]))


def reachable(resource: Resource) -> dict[str, Any]:
    """A service with all that is known of it; of its chat, the address."""
    known = resource.model_dump(by_alias=True, exclude_none=True)
    return known | ({"chat": resource.chat_url} if resource.chat else {})


def answered(reply: Reply) -> dict[str, Any]:
    """A reply as the contract writes it."""
    rejected = [list(candidate.rejected) for candidate in reply.candidates if candidate.rejected]
    return {
        **screened(reply.decision),
        "reply": reply.text,
        "source": reply.source,
        "disclaimer": reply.disclaimer,
        "resources": [reachable(resource) for resource in reply.resources],
        "candidates": {"tried": len(reply.candidates), "rejected": rejected},
        "model": reply.identity.model_dump() if reply.identity else None,
    }
