"""A small run to evaluate: scripted models, a screen of one word, sentence vectors by letter counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallhours.domain.artifacts import staged_folder
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.ports import AnswerLoss, Completion, ModelIdentity, Sampling
from smallhours.domain.records import Example
from smallhours.domain.risk import Action, Decision, Finding, OutputVerdict, RiskLevel
from smallhours.domain.settings import EvaluateSettings, Settings
from smallhours.evaluate.conversations import load_scripts
from smallhours.evaluate.ordinary import ordinary_text
from smallhours.evaluate.requests import load_requests
from smallhours.evaluate.subjects import Served, Subjects
from smallhours.evaluate.suites import load_suite
from smallhours.safety.replies import questions

TUNED = ModelIdentity(base="b" * 64, adapter="a" * 64)


@dataclass
class FakeEngine:
    """Says what it is told to, and remembers what it was asked."""

    say: Callable[[str], str]
    finish: str = "stop"
    identity: ModelIdentity = TUNED
    asked: list[Conversation] = field(default_factory=list)

    def complete(self, conversation: Conversation, sampling: Sampling) -> Completion:
        self.asked.append(conversation)
        text = self.say(conversation.last_user_text)
        return Completion(text=text, tokens=len(text.split()), finish=self.finish)

    def stream(self, conversation: Conversation, sampling: Sampling) -> Iterator[str]:
        yield from self.say(conversation.last_user_text).split()

    def close(self) -> None:
        pass


def letters(texts: Sequence[str]) -> np.ndarray:
    rows = [[text.lower().count(chr(97 + i)) for i in range(26)] for text in texts]
    return np.asarray(rows, dtype=np.float32)


def guard(text: str, conversation: Conversation, *, by_people: bool = False) -> OutputVerdict:
    if "sleeping pills" not in text:
        return OutputVerdict(allowed=True)
    return OutputVerdict(allowed=False, findings=(Finding(detector="scope", rule="names_a_drug"),))


KNOWN = {case.text: case.expect for case in load_suite()}
EXPECTED = {turn.text: turn.expect for script in load_scripts() for turn in script.turns}
IN_CRISIS = {one.conversation.last_user_text for one in load_requests() if one.crisis}
LEVELS = {"concern": RiskLevel.ELEVATED, "danger": RiskLevel.HIGH}
ANSWER = "That sounds tiring. Dim the lights tonight."


def perfect_screen(conversation: Conversation) -> Decision:
    crisis = KNOWN.get(conversation.last_user_text) == "crisis"
    level = RiskLevel.HIGH if crisis else RiskLevel.NONE
    action = Action.CRISIS_REPLY if crisis else Action.ANSWER
    return Decision(level=level, action=action, score=float(crisis), language="en", policy="2026-11")


def perfect_path(conversation: Conversation) -> Served:
    """What a path would serve that knew the scripts; no two replies in a row are the same."""
    said = conversation.last_user_text
    level = LEVELS.get(EXPECTED.get(said, ""), RiskLevel.HIGH if said in IN_CRISIS else RiskLevel.NONE)
    if level is RiskLevel.NONE:
        return Served(f"{ANSWER} ({len(conversation.messages)})")
    words = f"I am glad you told me ({len(conversation.messages)})."
    asks = f" {questions()[0].text}" if level is RiskLevel.ELEVATED else ""
    return Served(words + asks, source="crisis", level=level, resources=2)


def example(number: int, answer: str = "", question: str = "") -> Example:
    return Example(
        id=f"en-sleep-{number:03}",
        topic="sleep",
        messages=(
            Message(role=Role.USER, content=question or f"I can't sleep, night {number}. What can I do?"),
            Message(
                role=Role.ASSISTANT, content=answer or f"A {number}th bad night is hard. Keep the room dark."
            ),
        ),
    )


@pytest.fixture
def make_example() -> Callable[..., Example]:
    return example


@pytest.fixture
def make_engine() -> Callable[..., FakeEngine]:
    return FakeEngine


@pytest.fixture
def subjects() -> Subjects:
    return Subjects(
        base=FakeEngine(lambda q: "Have you tried sleeping pills?", identity=ModelIdentity(base="b" * 64)),
        tuned=FakeEngine(lambda q: "That sounds tiring. Dim the lights, and tell a doctor if it goes on."),
        pipeline=perfect_path,
        without_model=perfect_path,
        retrieve=lambda question: "A 101th bad night is hard. Keep the room dark.",
        screen=perfect_screen,
        guard=guard,
        embed=letters,
        risk=lambda texts: [1.0 if KNOWN.get(text) == "crisis" else -1.0 for text in texts],
        surprise=lambda texts: [len(text) / 10 for text in texts],
    )


@pytest.fixture
def losses() -> Callable[[Sequence[Example], float], list[AnswerLoss]]:
    """Losses around so many nats per token, the same wiggle for every model."""

    def make(examples: Sequence[Example], per_token: float) -> list[AnswerLoss]:
        return [
            AnswerLoss(id=one.id, nll=(per_token + 0.05 * (at % 5)) * (20 + at), tokens=20 + at)
            for at, one in enumerate(examples)
        ]

    return make


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run whose adapter folder holds a training log, its last line cut short by a crash."""
    folder = tmp_path / "sample"
    rows: list[Mapping[str, Any]] = [
        {"step": n, "loss": 3 - n / 20, "smoothed_loss": 3 - n / 25} for n in range(1, 13)
    ]
    rows += [
        {"step": n, "validation_loss": loss, "epoch": n / 12} for n, loss in ((4, 2.7), (8, 2.6), (12, 2.8))
    ]
    figures = {"best_step": 8, "validation_loss_before": 3.03, "validation_loss_best": 2.6, "seconds": 61.5}
    with staged_folder(
        folder / "adapter", stage="train", inputs={}, config={}, seed=1, figures=figures
    ) as partial:
        log = "".join(json.dumps(row) + "\n" for row in rows) + '{"step": 13, "lo'
        (partial / "metrics.jsonl").write_text(log)
    return folder


@dataclass(frozen=True)
class Setup:
    """Arguments of ``evaluate_run``, to change one of."""

    arguments: dict[str, Any]

    def but(self, **changes: Any) -> dict[str, Any]:
        return {**self.arguments, **changes}

    def with_subjects(self, **changes: Any) -> dict[str, Any]:
        return self.but(subjects=replace(self.arguments["subjects"], **changes))


@pytest.fixture
def setup(
    run_folder: Path, subjects: Subjects, losses: Callable[[Sequence[Example], float], list[AnswerLoss]]
) -> Setup:
    test, ordinary = [example(number) for number in range(12)], ordinary_text()
    return Setup(
        {
            "folder": run_folder,
            "subjects": subjects,
            "test": test,
            "train": [example(number) for number in range(100, 130)],
            "base_losses": losses(test, 3.0),
            "tuned_losses": losses(test, 2.5),
            "ordinary_losses": (losses(ordinary, 3.0), losses(ordinary, 3.1)),
            "settings": Settings(
                evaluate=EvaluateSettings(answers=5, conversations=2, requests=6, resamples=200)
            ),
            "inputs": {"adapter": "a" * 64},
            "weights": "a" * 64,
            "policy": "2026-11",
        }
    )
