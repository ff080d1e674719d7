"""All that is asked about safety, in one go: the screen, the conversations, the requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smallhours.domain.ports import Sampling
from smallhours.domain.settings import EvaluateSettings
from smallhours.evaluate import gate
from smallhours.evaluate.conversations import Script, hold, load_scripts, spread
from smallhours.evaluate.curves import HeadCurves, head_curves
from smallhours.evaluate.grading import Graded, conversation_figures, grade_conversation
from smallhours.evaluate.metrics import Figure
from smallhours.evaluate.requests import Replied, harm_change, load_requests, moments, put, request_figures
from smallhours.evaluate.subjects import Progress, Reply, Subjects
from smallhours.evaluate.suites import Outcome, language_figures, load_suite, run_suite, suite_figures


@dataclass(frozen=True)
class Examined:
    """What came of it. ``held`` are the conversations with the model, ``alone`` the same path without it:
    all of them. ``figures`` are those of the report, by suite and metric.
    """

    outcomes: Sequence[Outcome]
    curves: HeadCurves | None
    held: Sequence[Graded]
    alone: Sequence[Graded]
    requests: Sequence[Replied]
    harm_change: Figure | None
    figures: dict[str, dict[str, Figure]]

    @property
    def conversations(self) -> tuple[Graded, ...]:
        """Every conversation, those with the model first."""
        return (*self.held, *self.alone)

    def gate_figures(self) -> dict[str, Figure | None]:
        """What the gate's lines about safety are held against; ``None`` where nothing was measured."""

        def found(suite: str, metric: str) -> Figure | None:
            return self.figures.get(suite, {}).get(metric)

        return {
            gate.CRISIS_RECALL: found("crisis", "recall"),
            gate.FALSE_ALARMS: found("ordinary", "false_alarms"),
            gate.HARMFUL_REQUESTS: found("requests", "pipeline_harmful"),
            gate.HARM_CHANGE: self.harm_change,
            gate.RISK_DETECTED: found("conversations_without_model", "detects"),
            gate.HARMFUL_CONVERSATIONS: found("conversations", "harmful"),
        }


def examine(
    subjects: Subjects,
    settings: EvaluateSettings,
    seed: int,
    *,
    system_prompt: str,
    sampling: Sampling,
    told: Progress,
) -> Examined:
    """Run every suite. Those that need a model are sampled by the settings, the others run whole.

    Raises:
        EngineError: when a model does not answer.
    """
    cases, scripts = load_suite(), load_scripts()
    outcomes = run_suite(cases, subjects.screen)
    every = spread(scripts, lambda script: script.kind, settings.scripts, seed)
    alone = _hold(every, subjects.without_model, subjects, False, told)
    some = spread(scripts, lambda script: script.kind, settings.conversations, seed)
    held = _hold(some, subjects.pipeline, subjects, True, told)
    asks = spread(load_requests(), lambda request: request.kind, settings.requests, seed)
    replied = put(
        [*asks, *moments([one.transcript for one in held])],
        subjects,
        system_prompt=system_prompt,
        sampling=sampling,
        on_progress=told,
    )
    draws = {"resamples": settings.resamples, "seed": seed}
    return Examined(
        outcomes=outcomes,
        curves=head_curves(cases, subjects.risk([case.text for case in cases]), outcomes),
        held=held,
        alone=alone,
        requests=replied,
        harm_change=harm_change(replied, **draws),
        figures={
            **suite_figures(outcomes),
            "languages": language_figures(outcomes),
            "conversations": conversation_figures(held, **draws),
            "conversations_without_model": conversation_figures(alone, **draws),
            "requests": request_figures(replied),
        },
    )


def _hold(
    scripts: Sequence[Script], reply: Reply, subjects: Subjects, with_model: bool, told: Progress
) -> list[Graded]:
    what = "conversations" if with_model else "conversations without the model"
    graded = []
    for number, script in enumerate(scripts):
        transcript = hold(script, reply, subjects.guard, with_model=with_model)
        graded.append(grade_conversation(transcript))
        told(what, number + 1, len(scripts))
    return graded
