"""``smallhours train``."""

from __future__ import annotations

from typing import Any

import click

from smallhours.cli.console import announce, training_report
from smallhours.cli.launched import is_main, processes
from smallhours.cli.options import RUN, with_settings
from smallhours.domain.settings import Settings


@click.command()
@RUN
@click.option(
    "--folds",
    type=click.IntRange(2),
    help="Train this many adapters on grouped folds and report the held-out loss; adapter/ stays as it is.",
)
@click.option(
    "--repeats", type=click.IntRange(1), help="Repeat the folds in another random order.  [default: 1]"
)
@click.option(
    "--tensorboard", is_flag=True, default=None, help="Write TensorBoard event files to <run>/tensorboard."
)
@with_settings(run="name", tensorboard="train.tensorboard")
def command(settings: Settings, folds: int | None, repeats: int | None) -> None:
    """Fine-tune the base on the dataset of RUN (default: 'default'), or go on where it was interrupted.

    \b
    smallhours train
    smallhours train mine --set train.epochs=3 --set train.learning_rate=5e-4
    smallhours train mine --folds 5
    """
    from smallhours.bootstrap import stages

    if folds is None:
        if repeats is not None:
            raise click.UsageError("--repeats repeats folds: give --folds, too")
        stages.check_base(settings, announce)
        with training_report() as report:
            figures = stages.train(settings, report, announce).figures
        if is_main():
            click.echo(
                f"adapter: {settings.run_folder / 'adapter'} "
                f"(loss on unseen groups {figures['validation_loss_before']:.3f} before, "
                f"{figures['validation_loss_best']:.3f} after)"
            )
        return
    if processes() > 1:
        raise click.UsageError("--folds: folds are trained by one process; leave the launcher out")
    with training_report() as report:
        figures = stages.train_folds(settings, folds, repeats or 1, report, announce).figures
    click.echo(
        f"folds: {settings.run_folder / 'folds'} "
        f"(held-out loss {_interval(figures['held_out_loss_before'])} before, "
        f"{_interval(figures['held_out_loss_after'])} after, "
        f"{_interval(figures['held_out_loss_reduction'])} less)"
    )


def _interval(figure: dict[str, Any]) -> str:
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"
