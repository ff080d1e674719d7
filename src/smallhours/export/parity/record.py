"""What was compared, and whether it is near enough. Nothing is loaded here."""

from __future__ import annotations

from collections.abc import Iterator

from smallhours.domain.messages import Frozen
from smallhours.domain.settings import ExportSettings


class Parity(Frozen):
    """An exported model beside the reference: the tuned model in float32, as it was evaluated.

    Attributes:
        prompts: conversations that both were given; ``same_prompts`` of them became the same token ids.
        tokens: greedy tokens that the exported model wrote to them; ``agreed``: those that the reference
            would have written there, too; ``same_texts``: prompts at which all of them are.
        answers: held-out answers that both were led through; ``stopped``: those that the end token ended.
        answer_tokens: over how many tokens of those answers the losses are (nats per token).
    """

    prompts: int
    same_prompts: int
    tokens: int
    agreed: int
    same_texts: int
    answers: int
    stopped: int
    answer_tokens: int
    reference_loss: float
    loss: float

    @property
    def agreement(self) -> float:
        """Share of greedy tokens that agree."""
        return self.agreed / self.tokens if self.tokens else 0.0

    @property
    def loss_change(self) -> float:
        """Nats per token; above zero is worse."""
        return self.loss - self.reference_loss

    def faults(self, bounds: ExportSettings) -> Iterator[str]:
        """What is not as it must be, each with its figures."""
        if self.same_prompts < self.prompts:
            other = self.prompts - self.same_prompts
            yield f"{other} of {self.prompts} prompts become other tokens than in training"
        if self.stopped < self.answers:
            other = self.answers - self.stopped
            yield f"the end token does not stop {other} of {self.answers} answers"
        if not self.agreement >= bounds.min_agreement:
            yield (
                f"{self.agreed} of {self.tokens} greedy tokens agree ({self.agreement:.1%}), "
                f"{bounds.min_agreement:.1%} must (export.min_agreement)"
            )
        if not abs(self.loss_change) <= bounds.max_loss_change:
            yield (
                f"held-out loss moves by {self.loss_change:+.4f} nats per token over {self.answer_tokens} "
                f"tokens of {self.answers} answers, {bounds.max_loss_change:g} is allowed "
                "(export.max_loss_change)"
            )
