"""All that was measured of a run, before it is written anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from smallhours.domain.messages import Frozen
from smallhours.evaluate.baselines import Answered
from smallhours.evaluate.gate import Verdict
from smallhours.evaluate.learning import Curve, Fit, Learning, Topic
from smallhours.evaluate.metrics import Figure
from smallhours.evaluate.ordinary import Forgetting
from smallhours.evaluate.safety import Examined
from smallhours.evaluate.subjects import BASELINES

Figures = Mapping[str, Figure]


class LearningPart(Frozen):
    """The ``learning`` part of ``report.json``; ``ordinary`` and ``folds`` are missing where not measured."""

    base: Fit
    tuned: Fit
    reduction: Figure
    topics: dict[str, Topic]
    ordinary: Forgetting | None = Field(None, exclude_if=lambda found: found is None)
    folds: dict[str, Figure] = Field(default_factory=dict, exclude_if=lambda found: not found)


class Report(Frozen):
    """``report.json``: a stable contract, figures only. A judge, if one is asked, adds its part ``judge``."""

    learning: LearningPart
    baselines: dict[str, dict[str, Figure]]
    safety: dict[str, dict[str, Figure]]
    speed: dict[str, Figure]


@dataclass(frozen=True)
class Findings:
    """What the report, the page and the card are made from.

    ``baselines`` holds the figures of the four baselines and of ``vetted``, the reference that the
    scorers are read against; ``against_retrieval`` is how much more like the vetted answers what ships is
    than the nearest vetted answer of another question (cosine, paired). ``lengths`` maps a label to shares
    per band. ``gate`` holds the figures that the verdict was made from. ``about`` says in a few
    words what was measured and when.
    """

    name: str
    verdict: Verdict
    gate: Mapping[str, Figure | None]
    learning: Learning
    topics: Mapping[str, Topic]
    forgetting: Forgetting | None
    folds: Figures
    curve: Curve
    answered: Sequence[Answered]
    baselines: Mapping[str, Figures]
    against_retrieval: Figure | None
    lengths: Mapping[str, Sequence[Figure]]
    examined: Examined
    speed: Figures
    about: Mapping[str, str]

    def report(self) -> Report:
        """The figures of the contract."""
        learned = self.learning
        return Report(
            learning=LearningPart(
                base=learned.base,
                tuned=learned.tuned,
                reduction=learned.reduction,
                topics=dict(self.topics),
                ordinary=self.forgetting,
                folds=dict(self.folds),
            ),
            baselines={name: dict(self.baselines[name]) for name in BASELINES},
            safety={name: dict(figures) for name, figures in self.examined.figures.items()},
            speed=dict(self.speed),
        )
