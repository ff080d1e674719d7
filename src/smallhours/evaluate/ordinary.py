"""What was forgotten: how well both models still predict ordinary text that nobody was trained on.

What is not covered: skills. That the loss on everyday explanations moved says that something moved.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from smallhours.domain.messages import Frozen, Message, Role
from smallhours.domain.ports import AnswerLoss
from smallhours.domain.records import Example
from smallhours.evaluate.learning import check_losses
from smallhours.evaluate.metrics import Figure, bootstrap_ratio, paired_reduction

ORDINARY = Path(__file__).parent / "data" / "ordinary_text.jsonl"


class Forgetting(Frozen):
    """Loss (nats per token) of both models on ordinary text; ``change`` is relative and paired, above zero
    where the tuned model predicts it worse.
    """

    base: Figure
    tuned: Figure
    change: Figure


def ordinary_text(path: Path = ORDINARY) -> list[Example]:
    """Everyday questions with plain answers, as examples that a loss can be measured on."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Example(
            id=f"ordinary-{row['id']}",
            topic="ordinary",
            messages=(
                Message(role=Role.USER, content=row["question"]),
                Message(role=Role.ASSISTANT, content=row["answer"]),
            ),
        )
        for row in rows
    ]


def measure_forgetting(
    before: Sequence[AnswerLoss], after: Sequence[AnswerLoss], *, resamples: int, seed: int
) -> Forgetting | None:
    """The same ordinary text under both models; ``None`` where it was not measured.

    Raises:
        RunError: if the two sides do not cover the same text, or a loss is not a number.
    """
    if not before and not after:
        return None
    check_losses(before, after)
    tokens = [float(one.tokens) for one in before]
    old, new = [one.nll for one in before], [one.nll for one in after]
    draws = {"resamples": resamples, "seed": seed}
    reduction = paired_reduction(old, new, **draws)
    ends = (reduction.high, reduction.low)
    return Forgetting(
        base=bootstrap_ratio(old, tokens, **draws),
        tuned=bootstrap_ratio(new, tokens, **draws),
        change=Figure(
            value=-reduction.value,
            n=reduction.n,
            low=None if ends[0] is None else -ends[0],
            high=None if ends[1] is None else -ends[1],
        ),
    )
