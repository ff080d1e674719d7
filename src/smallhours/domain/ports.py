"""What the house asks of the parts it does not own: models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol, runtime_checkable

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.messages import Conversation, Frozen
from smallhours.domain.records import Example


class ModelIdentity(Frozen):
    """Which weights answer: SHA-256 of the base file and of the adapter, if any."""

    base: str
    adapter: str | None = None


class Sampling(Frozen):
    """How to decode. ``temperature`` 0 is greedy; ``seed`` makes sampling repeatable.

    ``dry`` is the strength of the "don't repeat yourself" penalty, which punishes repeated sequences
    and not, as a plain repetition penalty does, the words that the person used. An engine that has
    no such penalty decodes without it. ``repetition`` is the plain one; 1 is off.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    dry: float = 0.0
    repetition: float = 1.0
    max_tokens: int = 110
    seed: int = 0


class Completion(Frozen):
    """An answer, how many tokens it took, and whether it ended by itself."""

    text: str
    tokens: int
    finish: Literal["stop", "length"]


@runtime_checkable
class Engine(Protocol):
    """A model that continues a conversation. Safe to call from several threads.

    ``cancel`` ends a call early, from another thread: what was asked of a server is called off there, too.
    """

    identity: ModelIdentity

    def complete(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Completion:
        """The whole answer. Raises EngineError when the model does not answer."""
        ...

    def stream(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Iterator[str]:
        """The answer in pieces as they come; closing the iterator ends it. Raises EngineError, too."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


ModelState = Literal["ready", "starting", "unresponsive", "waiting", "stopped", "resting", "trying"]


class ModelHealth(Frozen):
    """How one model server is: for metrics, so no word of it comes from a person."""

    name: str
    state: ModelState
    answers: bool
    in_flight: int = 0
    restarts: int = 0
    reason: str = ""


@runtime_checkable
class Watched(Protocol):
    """An engine that knows how its servers are."""

    def health(self) -> tuple[ModelHealth, ...]:
        """One entry per server; it asks nobody, so that it takes no time."""
        ...


class AnswerLoss(Frozen):
    """Negative log-likelihood (nats) summed over the ``tokens`` of one answer and its end token."""

    id: str
    nll: float
    tokens: int


class LossModel(Protocol):
    """A model that can say how surprised it is by an answer."""

    def answer_losses(self, examples: Sequence[Example]) -> list[AnswerLoss]:
        """One entry per example, in order."""
        ...


class Rewriter(Protocol):
    """Whatever says a question in other words. What it says is checked before it is used."""

    def rewordings(self, question: str, language: str, count: int) -> list[str]:
        """Up to ``count`` wordings of ``question``, in ``language`` (``en``, ``de`` …), at least one.

        Raises:
            ReplyError: it answered, but not with wordings.
            EngineError: it does not answer.
        """
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...
