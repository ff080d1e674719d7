"""``smallhours train``."""

from __future__ import annotations

import click

from smallhours.cli.console import announce, training_report
from smallhours.cli.options import RUN, with_settings
from smallhours.domain.settings import Settings


@click.command()
@RUN
@with_settings(run="name")
def command(settings: Settings) -> None:
    """Fine-tune the base on the dataset of RUN (default: 'default').

    \b
    smallhours train
    smallhours train mine --set train.epochs=3 --set train.learning_rate=5e-4
    """
    from smallhours import bootstrap

    with training_report() as report:
        manifest = bootstrap.train(settings, report, announce)
    figures = manifest.figures
    click.echo(
        f"adapter: {settings.run_folder / 'adapter'} "
        f"(loss on unseen groups {figures['validation_loss_before']:.3f} before, "
        f"{figures['validation_loss_best']:.3f} after)"
    )
