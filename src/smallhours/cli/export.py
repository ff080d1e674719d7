"""``smallhours export``."""

from __future__ import annotations

import click

from smallhours.cli.console import announce
from smallhours.cli.options import RUN, UNSAFE, with_settings
from smallhours.domain.errors import SettingsError
from smallhours.domain.settings import Settings

TARGETS = ("gguf", "ollama", "merged", "peft")


@click.command()
@RUN
@click.option("--to", "to", default="gguf", show_default=True, help=f"Comma-separated: {', '.join(TARGETS)}.")
@UNSAFE
@with_settings(run="name")
def command(settings: Settings, to: str, unsafe_skip_gate: bool) -> None:
    """Write the package of RUN, and the model for other programs; refuses without a passing verdict.

    Each target is compared with the model that was evaluated (token ids, greedy text, the end, held-out loss)
    and is not written if it differs. What is there already stays. See docs/export.md.

    \b
    smallhours export
    smallhours export mine --to gguf,ollama,merged,peft
    smallhours export mine --to gguf --set export.quantization=q4_k_m
    """
    targets = tuple(part.strip() for part in to.split(",") if part.strip())
    unknown = [target for target in targets if target not in TARGETS]
    if unknown or not targets:
        raise SettingsError(f"--to {to}: unknown target; known are: {', '.join(TARGETS)}")
    from smallhours.bootstrap import stages

    stages.export(settings, announce, targets, unsafe_skip_gate=unsafe_skip_gate)
    click.echo(f"package: {settings.run_folder / 'package'}")
