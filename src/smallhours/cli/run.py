"""``smallhours run``: pairs, dataset, adapter, evaluation, package, chat."""

from __future__ import annotations

import click

from smallhours.cli.console import announce, counting, training_report
from smallhours.cli.evaluate import show_verdict
from smallhours.cli.options import REVIEWED_ONLY, SIGN_OFFS, with_settings
from smallhours.cli.serve import serve
from smallhours.domain.settings import Settings


@click.command()
@click.option(
    "--data", help="Pairs: a file, hf:owner/name, or builtin:98, builtin:en …  [default: builtin:en]"
)
@click.option(
    "--base",
    help="A base from the catalog, a folder (./model) or a hub id (owner/name).  [default: embedded]",
)
@click.option("--name", help="Name of the run folder.  [default: default]")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: 8800]")
@click.option("--no-serve", is_flag=True, help="Stop before the chat.")
@REVIEWED_ONLY
@SIGN_OFFS
@with_settings(
    data="data",
    base="base",
    name="name",
    host="serve.host",
    port="serve.port",
    reviewed_only="corpus.reviewed_only",
    sign_offs="corpus.sign_offs",
)
def command(settings: Settings, no_serve: bool) -> None:
    """The whole pipeline, then the chat. A stage whose inputs did not change is not done again.

    \b
    smallhours run
    smallhours run --data pairs.csv --name mine --port 8801
    smallhours run --config configs/tiny.toml --no-serve
    """
    from smallhours.bootstrap import evaluation, serving, stages

    bound = None if no_serve else serving.bind(settings.serve)
    stages.check_base(settings, announce)
    stages.build_dataset(settings, announce)
    with training_report() as report:
        stages.train(settings, report, announce)
    verdict = evaluation.evaluate(settings, announce, counting)
    show_verdict(verdict)
    click.echo(f"report: {settings.run_folder / 'evaluation' / 'report.html'}")
    stages.export(settings, announce)
    if bound is not None:
        serve(settings, serving.open_served(settings, announce), bound)
