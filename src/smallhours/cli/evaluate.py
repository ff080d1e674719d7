"""``smallhours evaluate``."""

from __future__ import annotations

import click

from smallhours.cli.console import announce, counting
from smallhours.cli.options import RUN, with_settings
from smallhours.domain.settings import Settings


@click.command()
@RUN
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option("--mlflow", is_flag=True, help="Write the run to MLflow, too (MLFLOW_TRACKING_URI says where).")
@with_settings(run="name")
def command(settings: Settings, as_json: bool, mlflow: bool) -> int:
    """Measure RUN against its base and write report.html; exit 1 when the gate says no.

    \b
    smallhours evaluate
    smallhours evaluate mine --json
    smallhours evaluate mine --set evaluate.answers=60 --set evaluate.conversations=46
    """
    from smallhours.bootstrap import evaluation
    from smallhours.evaluate.tracking import open_tracker, track_run

    tracker = open_tracker() if mlflow else None  # a missing package is said before minutes of work
    verdict = evaluation.evaluate(settings, announce, counting)
    if tracker is not None:
        announce(f"mlflow: run {track_run(settings.run_folder, tracker)}")
    folder = settings.run_folder / "evaluation"
    if as_json:
        click.echo((folder / "verdict.json").read_text(encoding="utf-8"))
    else:
        show_verdict(verdict)
        click.echo(f"report: {folder / 'report.html'}")
    return 0 if verdict.passed else 1


def show_verdict(verdict: object) -> None:
    """One line per line of the gate."""
    for line in verdict.lines:  # type: ignore[attr-defined]
        mark = "pass" if line.passed else "FAIL"
        value = "missing" if line.value is None else f"{line.value:.3f}"
        click.echo(f"  {mark}  {line.name}: {value} (threshold {line.threshold:g})")
