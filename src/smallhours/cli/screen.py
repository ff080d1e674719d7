"""``smallhours screen``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from smallhours.cli.lines import finish, process
from smallhours.domain.risk import Decision


@click.command()
@click.option(
    "--in", "source", type=click.Path(path_type=Path), required=True, help="JSON Lines; - for stdin."
)
@click.option(
    "--out", "target", type=click.Path(path_type=Path), required=True, help="JSON Lines; - for stdout."
)
def command(source: Path, target: Path) -> None:
    """Risk of each text or conversation, one line out per line in. No model is needed.

    \b
    smallhours screen --in messages.jsonl --out risk.jsonl
    echo '{"id": "1", "text": "cant sleep"}' | smallhours screen --in - --out -
    """
    from smallhours.bootstrap.safety import safety_pipeline

    pipeline = safety_pipeline()
    finish(process(source, target, lambda many: map(screened, pipeline.screen_many(many)), together=256))


def screened(decision: Decision) -> dict[str, Any]:
    """A decision as the contract writes it."""
    return {
        "level": decision.level.value,
        "categories": [category.value for category in decision.categories],
        "action": decision.action.value,
        "score": round(decision.score, 4),
        "language": decision.language,
        "findings": [
            {
                "detector": finding.detector,
                "category": finding.category.value if finding.category else None,
                "span": list(finding.span),
                "rule": finding.rule,
                "message": finding.message,
                "excepted": finding.excepted,
            }
            for finding in decision.findings
        ],
        "policy": decision.policy,
    }
