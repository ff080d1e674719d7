"""``smallhours judge``."""

from __future__ import annotations

from pathlib import Path

import click

from smallhours.cli.console import counting
from smallhours.cli.options import RATINGS, RUN, with_settings
from smallhours.domain.settings import Settings


@click.command()
@RUN
@click.option("--url", required=True, help="An OpenAI-compatible endpoint: http://127.0.0.1:8000/v1")
@click.option("--model", required=True, help="The model that it is asked for.")
@click.option("--key-variable", metavar="NAME", help="NAME of the variable with its key.")
@RATINGS
@click.option("--json", "as_json", is_flag=True, help="Print judge.json.")
@with_settings(run="name")
def command(
    settings: Settings, url: str, model: str, key_variable: str | None, ratings: Path, as_json: bool
) -> None:
    """Let a language model compare the answers that the evaluation of RUN wrote, two at a time.

    It sees the questions and answers of the held-out set, and nothing that anybody said to the assistant.
    Every fault needs a true quotation; the order is random. Its opinion goes into the report and is no part
    of the gate. What it thinks of answers that people rated says how far it can be believed.

    \b
    smallhours judge --url http://127.0.0.1:8000/v1 --model qwen3
    smallhours judge mine --url https://api.example.org/v1 --model large --key-variable JUDGE_KEY
    """
    from smallhours.bootstrap import evaluation
    from smallhours.domain.endpoint import Endpoint
    from smallhours.evaluate.judging.view import judge_lines

    endpoint = Endpoint(url, model, key_variable, settings="--")
    opinion = evaluation.judge(settings, endpoint, ratings, counting)
    folder = settings.run_folder / "evaluation"
    if as_json:
        click.echo((folder / "judge.json").read_text(encoding="utf-8"), nl=False)
        return
    for line in judge_lines(opinion):
        click.echo(line)
    click.echo(f"report: {folder / 'report.html'}")
