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
    together: int = 0,
) -> Iterator[tuple[Batch, ...]]:
    """One pass over the examples in an order that depends on ``seed`` and ``epoch`` alone.

    Of each batch of ``batch_size``, process number ``process`` gets its share. It comes in parts of at most
    ``together`` tokens (0: in one), each of one example at least.
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
        tokens = sum(len(example.ids) for example in row)
        labels = sum(sum(example.learnt[1:]) for example in row)
        parts = _parts(share(row, process, processes), together)
        yield tuple(replace(collate(part, pad), tokens=tokens, of_labels=labels) for part in parts)


def _parts(examples: Sequence[Encoded], together: int) -> Iterator[Sequence[Encoded]]:
    """Neighbours, which are of like length, as many as fit."""
    tokens = sum(len(example.ids) for example in examples)
    size = -(-len(examples) // max(1, -(-tokens // together))) if together else len(examples)
    yield from (examples[start : start + size] for start in range(0, len(examples), size))


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """Optimizer steps in one pass, the last one possibly smaller."""
    return -(-examples // batch_size)
