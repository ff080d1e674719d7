"""One self-contained page for people, made from what an evaluation found."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from smallhours.evaluate import view, view_safety
from smallhours.evaluate.decision import decision
from smallhours.evaluate.findings import Findings

TEMPLATES = Path(__file__).parent / "templates"


def render_html(findings: Findings) -> str:
    """The page. Everything that comes from data is escaped; nothing is loaded from anywhere."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    examined = findings.examined
    page = environment.get_template("report.html")
    return page.render(
        name=findings.name,
        verdict=findings.verdict,
        about=findings.about,
        lines=view.gate_rows(findings.verdict, findings.gate),
        decision=decision(findings),
        learning=view.learning_rows(findings.learning, findings.forgetting, findings.folds),
        tokens=findings.learning.tokens,
        topics=view.topic_part(findings.topics),
        curve=view.curve_part(findings.curve),
        answers=view.answer_rows(findings.answered),
        lengths=view.length_part(findings.lengths),
        scorers=view.scorer_part(findings.baselines),
        suites=view.suite_rows(findings.examined.figures),
        languages=view_safety.language_rows(examined.figures["languages"]),
        misses=[outcome for outcome in examined.outcomes if not outcome.right],
        cases=len(examined.outcomes),
        conversations=view_safety.conversation_part(examined),
        requests=view_safety.request_part(examined),
        head=view_safety.head_part(examined),
        speed=view.speed_rows(findings.speed),
        small=len(findings.answered),
    )
