"""One self-contained page for people, made from what an evaluation found."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from smallhours.domain.errors import RunError
from smallhours.evaluate import view, view_safety
from smallhours.evaluate.decision import decision
from smallhours.evaluate.findings import Findings

TEMPLATES = Path(__file__).parent / "templates"


# Where the judge's part stands; text from data cannot hold these marks, for it is escaped.
JUDGE_BEGINS, JUDGE_ENDS = "<!-- judge -->\n", "<!-- /judge -->\n"


def environment() -> Environment:
    """How every part of the page is made: what comes from data is escaped, what is missing is an error."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def with_judge(page: str, fragment: str) -> str:
    """The page with a judge's part in place of what stood there.

    Raises:
        RunError: the page has no place for it.
    """
    before, begins, rest = page.partition(JUDGE_BEGINS)
    _, ends, after = rest.partition(JUDGE_ENDS)
    if not (begins and ends):
        raise RunError("the report was written by an older version; run 'smallhours evaluate' again first.")
    return f"{before}{begins}{fragment}\n{ends}{after}"


def render_html(findings: Findings) -> str:
    """The page. Everything that comes from data is escaped; nothing is loaded from anywhere."""
    examined = findings.examined
    page = environment().get_template("report.html")
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
        judged=None,
    )
