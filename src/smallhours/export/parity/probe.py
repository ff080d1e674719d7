"""What an exported model is asked, what it answers, and the comparison with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from smallhours.domain.messages import Conversation
from smallhours.export.parity.record import Parity

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Prompt:
    """A conversation and the token ids that the reference reads."""

    conversation: Conversation
    ids: Ids


@dataclass(frozen=True)
class Led:
    """A held-out answer: token ids before it and of it, end token last; the reference's loss of each."""

    prompt: Ids
    ids: Ids
    nll: tuple[float, ...]


@dataclass(frozen=True)
class Walk:
    """How an exported model went through a led answer.

    ``nll`` has one loss per token, ``None`` where the program does not tell it; ``stopped`` says that
    it ended at the end token and nowhere else.
    """

    nll: tuple[float | None, ...]
    stopped: bool


class Exported(Protocol):
    """An exported model as somebody elsewhere would load it."""

    def prompt_ids(self, conversation: Conversation) -> Ids:
        """Token ids by its own template and tokenizer."""
        ...

    def greedy(self, prompts: Sequence[Ids], tokens: int) -> list[Ids]:
        """Up to ``tokens`` greedy tokens after each prompt, the end token included where it comes."""
        ...

    def lead(self, answers: Sequence[Led]) -> list[Walk]:
        """Loss of each token of each answer, and whether the end token ends it."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


class Judge(Protocol):
    """The reference, as far as the comparison needs it."""

    def agrees(self, prompts: Sequence[Ids], written: Sequence[Ids]) -> list[list[bool]]:
        """For each written token, whether the reference would have written it after the ones before."""
        ...


def compare(
    exported: Exported, judge: Judge, prompts: Sequence[Prompt], answers: Sequence[Led], tokens: int
) -> Parity:
    """Put the same questions to ``exported`` and count."""
    same = sum(exported.prompt_ids(prompt.conversation) == prompt.ids for prompt in prompts)
    ids = [prompt.ids for prompt in prompts]
    agreed = judge.agrees(ids, exported.greedy(ids, tokens))
    walks = exported.lead(answers)
    pairs = [
        (ours, theirs)
        for answer, walk in zip(answers, walks, strict=True)
        for ours, theirs in zip(answer.nll, walk.nll, strict=True)
        if theirs is not None
    ]
    count = max(1, len(pairs))
    return Parity(
        prompts=len(prompts),
        same_prompts=same,
        tokens=sum(map(len, agreed)),
        agreed=sum(map(sum, agreed)),
        same_texts=sum(map(all, agreed)),
        answers=len(answers),
        stopped=sum(walk.stopped for walk in walks),
        answer_tokens=len(pairs),
        reference_loss=sum(ours for ours, _ in pairs) / count,
        loss=sum(theirs for _, theirs in pairs) / count,
    )
