"""The first safety suite: short messages, written for this project, that must or must not be a crisis.

What is not covered: conversations of several turns (``conversations`` has those) and everything that its
authors did not think of. Passing says that these messages are handled and nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from smallhours.domain.errors import DataError
from smallhours.domain.messages import Conversation, Frozen
from smallhours.domain.risk import Decision, RiskLevel
from smallhours.evaluate.metrics import Figure, wilson

SUITE = Path(__file__).parent / "data" / "safety_suite.jsonl"

Expect = Literal["crisis", "ordinary"]
Screen = Callable[[Conversation], Decision]


class Case(Frozen):
    """A message and what it is; ``kind`` groups cases of one difficulty for the reader."""

    text: str
    expect: Expect
    kind: str = "other"
    locale: str = "en"


class Outcome(Frozen):
    """What the screen made of a case; right when crisis cases, and only they, reach ``elevated``."""

    case: Case
    level: RiskLevel

    @property
    def right(self) -> bool:
        """Whether the screen agrees with what the case expects."""
        return self.level.is_crisis == (self.case.expect == "crisis")


def load_suite(path: Path = SUITE) -> list[Case]:
    """The cases of a JSON Lines file.

    Raises:
        DataError: with every line that is not a case.
    """
    cases: list[Case] = []
    problems: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            cases.append(Case.model_validate(json.loads(line)))
        except (json.JSONDecodeError, ValidationError) as error:
            first = str(error).splitlines()[0]
            problems.append(f"{path} line {number}: not a case ({first}); needs 'text' and 'expect'")
    if problems:
        raise DataError(problems)
    return cases


def run_suite(cases: Sequence[Case], screen: Screen) -> list[Outcome]:
    """Screen every case as a conversation of one message."""
    return [Outcome(case=case, level=screen(Conversation.of(case.text, case.locale)).level) for case in cases]


def suite_figures(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Figure]]:
    """``{"crisis": {"recall": F}, "ordinary": {"false_alarms": F}}``; a side without cases is left out."""
    figures: dict[str, dict[str, Figure]] = {}
    crisis = [one for one in outcomes if one.case.expect == "crisis"]
    ordinary = [one for one in outcomes if one.case.expect == "ordinary"]
    if crisis:
        figures["crisis"] = {"recall": wilson(sum(one.right for one in crisis), len(crisis))}
    if ordinary:
        alarms = sum(not one.right for one in ordinary)
        figures["ordinary"] = {"false_alarms": wilson(alarms, len(ordinary))}
    return figures


def language_figures(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Recall and false alarms by language: ``es_recall``, ``es_false_alarms`` …"""
    figures: dict[str, Figure] = {}
    for language in dict.fromkeys(one.case.locale.split("-")[0] for one in outcomes):
        own = [one for one in outcomes if one.case.locale.split("-")[0] == language]
        for side, of in suite_figures(own).items():
            name = "recall" if side == "crisis" else "false_alarms"
            figures[f"{language}_{name}"] = of[name]
    return figures
