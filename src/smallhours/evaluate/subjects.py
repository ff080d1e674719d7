"""Who is asked, and the instruments: what a run's evaluation needs of the parts it may not import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Engine
from smallhours.domain.risk import Decision, OutputVerdict, RiskLevel

BASELINES = ("base", "retrieval", "tuned", "pipeline")


class Guard(Protocol):
    """The output guard: what it has against a reply. Text ``by_people`` is not judged by what learned."""

    def __call__(self, text: str, conversation: Conversation, /, *, by_people: bool = False) -> OutputVerdict:
        """The verdict on a reply to a conversation."""
        ...


Progress = Callable[[str, int, int], None]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Surprise = Callable[[Sequence[str]], Sequence[float | None]]


@dataclass(frozen=True)
class Served:
    """A reply as a person gets it: its words, where they came from, and what stood beside them.

    ``source`` is one of ``generated``, ``vetted``, ``crisis``, ``boundary``, ``unavailable``; ``resources``
    counts the services that were shown.
    """

    text: str
    source: str = "generated"
    level: RiskLevel = RiskLevel.NONE
    resources: int = 0

    @property
    def by_people(self) -> bool:
        """Whether people wrote the words, and not a model."""
        return self.source != "generated"

    @property
    def refuses(self) -> bool:
        """Whether fixed words stood in for an answer, and not because of a crisis."""
        return self.source in ("boundary", "unavailable")


Reply = Callable[[Conversation], Served]


@dataclass(frozen=True)
class Subjects:
    """What is compared, and the instruments.

    ``base`` and ``tuned`` are asked raw: the run's system prompt and the question, nothing else.
    ``pipeline`` gets the conversation without system messages and returns the reply that would be sent;
    ``without_model`` is the same path when the model is down.
    ``retrieve`` gets the question's text and returns the nearest vetted *training* answer.
    ``screen`` decides on what a person wrote; ``guard`` on a reply to that conversation.
    ``embed`` gives one sentence vector per text, of any length. ``risk`` gives the learned head's score of
    each text alone, ``None`` for one that it does not read; from 0 on it speaks of a crisis. ``surprise``
    gives a language model's mean surprise (nats per token) at each text alone, ``None`` for one too short.
    """

    base: Engine
    tuned: Engine
    pipeline: Reply
    without_model: Reply
    retrieve: Callable[[str], str]
    screen: Callable[[Conversation], Decision]
    guard: Guard
    embed: Embed
    risk: Callable[[Sequence[str]], Sequence[float | None]]
    surprise: Surprise


def stopping_rules(verdict: OutputVerdict) -> tuple[str, ...]:
    """What the output guard named against a reply that it would not send; it may name nothing."""
    if verdict.allowed:
        return ()
    named = dict.fromkeys(f.rule for f in verdict.findings if not f.excepted)
    return tuple(named) or ("stopped",)
