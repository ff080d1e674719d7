"""Which examples are trained on together, and in which order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from smallhours.llm.answer_loss import Batch, Encoded, collate, share

# Examples are sorted by length within a window of this many batches: little padding, still shuffled.
WINDOW = 16


def epoch_batches(
    examples: Sequence[Encoded],
    batch_size: int,
    pad: int,
    seed: int,
    epoch: int,
    process: int = 0,
    processes: int = 1,
) -> Iterator[Batch]:
    """One pass over the examples in an order that depends on ``seed`` and ``epoch`` alone.

    Of each batch of ``batch_size``, process number ``process`` gets its share.
    """
    order = random.Random(seed * 1_000_003 + epoch)
    shuffled = list(examples)
    order.shuffle(shuffled)
    span = batch_size * WINDOW
    rows = [
        window[i : i + batch_size]
        for start in range(0, len(shuffled), span)
        for window in [sorted(shuffled[start : start + span], key=lambda e: len(e.ids))]
        for i in range(0, len(window), batch_size)
    ]
    order.shuffle(rows)
    for row in rows:
        own = collate(share(row, process, processes), pad)
        labels = sum(sum(example.learnt[1:]) for example in row)
        yield replace(own, tokens=sum(len(example.ids) for example in row), of_labels=labels)


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """Optimizer steps in one pass, the last one possibly smaller."""
    return -(-examples // batch_size)
