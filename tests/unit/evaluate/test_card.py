"""The model card holds the hub's head, the verdict, and no number that no log holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from smallhours.evaluate.card import WARNING, plain, render_card, with_warning
from smallhours.evaluate.run import evaluate_run
from smallhours.evaluate.wording import number

NUMBER = re.compile(r"(?<![\w.])[−+]?\d[\d,]*(?:\.\d+)?(?![\w.]*\d)")


@pytest.fixture
def run(setup: Any) -> Path:
    evaluate_run(**setup.arguments)
    return Path(setup.arguments["folder"])


def logged(value: Any) -> set[str]:
    """Every way in which the card may show a number that stands in a log."""
    if isinstance(value, dict):
        return set().union(*map(logged, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(logged, value)) if value else set()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return set()
    shown = {f"{value:,}", f"{value:,.3f}", f"{value:,.1f}", f"{value:,.2f}", number(value, "nats")}
    shown |= {f"{value * 100:,.{places}f}" for places in (0, 1)} | {f"{value * 100:g}"}
    return {text.replace("-", "−") for text in shown}


def test_every_number_in_its_tables_stands_in_a_log(run: Path) -> None:
    card = (run / "evaluation/README.md").read_text()
    known: set[str] = set()
    for path in (
        "evaluation/report.json", "evaluation/verdict.json", "adapter/manifest.json",
    ):  # fmt: skip
        known |= logged(json.loads((run / path).read_text()))
    rows = [line for line in card.splitlines() if line.startswith("| ")]
    found = [n for row in rows for cell in row.split("|")[2:] for n in NUMBER.findall(cell)]
    assert len(found) > 40
    assert [n for n in found if n not in known and n.lstrip("−") not in known] == []


def test_what_was_not_measured_is_not_in_it(run: Path) -> None:
    report = json.loads((run / "evaluation/report.json").read_text())
    verdict = json.loads((run / "evaluation/verdict.json").read_text())
    assert "ordinary text" in render_card(run, report, verdict)
    del report["learning"]["ordinary"], report["safety"]["requests"]
    silent = render_card(run, report, verdict)
    assert "ordinary text" not in silent and "requests: tuned" not in silent


def test_the_head_is_what_the_hub_reads(run: Path) -> None:
    import yaml

    card = (run / "evaluation/README.md").read_text()
    head = yaml.safe_load(card.split("---")[1])
    assert head["library_name"] == "peft" and "not-for-emergencies" in head["tags"]


def test_a_failed_verdict_is_said_before_any_figure(run: Path) -> None:
    report = json.loads((run / "evaluation/report.json").read_text())
    verdict = json.loads((run / "evaluation/verdict.json").read_text())
    card = render_card(run, report, {**verdict, "pass": False})
    assert card.index("did not pass") < card.index("## Figures")


def test_whoever_skips_the_gate_is_warned_where_a_reader_begins(run: Path) -> None:
    card = with_warning((run / "evaluation/README.md").read_text())
    assert card.startswith("---\n") and card.index(WARNING) < card.index("## The verdict")
    assert WARNING in with_warning("")


def test_foreign_text_cannot_become_markup() -> None:
    assert plain("a|b\n# c <script>") == "a\\|b \\# c \\<script\\>"
