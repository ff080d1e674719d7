"""What an evaluation found, as JSON for programs and as one self-contained page for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from smallhours.domain.messages import Frozen
from smallhours.evaluate import view
from smallhours.evaluate.baselines import BASELINES, Answered
from smallhours.evaluate.gate import Verdict
from smallhours.evaluate.learning import Curve, Fit, Learning
from smallhours.evaluate.metrics import Figure
from smallhours.evaluate.suites import Outcome

TEMPLATES = Path(__file__).parent / "templates"

Figures = Mapping[str, Figure]


class LearningPart(Frozen):
    """The ``learning`` part of ``report.json``."""

    base: Fit
    tuned: Fit
    reduction: Figure


class Report(Frozen):
    """``report.json``: a stable contract, figures only."""

    learning: LearningPart
    baselines: dict[str, dict[str, Figure]]
    safety: dict[str, dict[str, Figure]]
    speed: dict[str, Figure]


@dataclass(frozen=True)
class Findings:
    """All that was measured, before it is written anywhere.

    ``baselines`` holds the figures of the four baselines and of ``vetted``, the reference that the
    scorers are read against. ``lengths`` maps a label to shares per band. ``gate`` holds the figures
    that the verdict was made from. ``about`` says in a few words what was measured and when.
    """

    name: str
    verdict: Verdict
    gate: Mapping[str, Figure | None]
    learning: Learning
    curve: Curve
    answered: Sequence[Answered]
    baselines: Mapping[str, Figures]
    lengths: Mapping[str, Sequence[Figure]]
    outcomes: Sequence[Outcome]
    safety: Mapping[str, Figures]
    speed: Figures
    about: Mapping[str, str]

    def report(self) -> Report:
        """The figures of the contract."""
        learned = self.learning
        return Report(
            learning=LearningPart(base=learned.base, tuned=learned.tuned, reduction=learned.reduction),
            baselines={name: dict(self.baselines[name]) for name in BASELINES},
            safety={name: dict(figures) for name, figures in self.safety.items()},
            speed=dict(self.speed),
        )


def render_html(findings: Findings) -> str:
    """The page. Everything that comes from data is escaped; nothing is loaded from anywhere."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html")
    return page.render(
        name=findings.name,
        verdict=findings.verdict,
        about=findings.about,
        lines=view.gate_rows(findings.verdict, findings.gate),
        summary=view.summary(findings.learning, findings.answered, findings.outcomes),
        learning=view.learning_rows(findings.learning),
        tokens=findings.learning.tokens,
        curve=view.curve_part(findings.curve),
        answers=view.answer_rows(findings.answered),
        lengths=view.length_part(findings.lengths),
        scorers=view.scorer_rows(findings.baselines),
        suites=view.suite_rows(findings.safety),
        misses=[outcome for outcome in findings.outcomes if not outcome.right],
        cases=len(findings.outcomes),
        speed=view.speed_rows(findings.speed),
        small=len(findings.answered),
    )
