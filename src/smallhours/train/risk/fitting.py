"""How the reader learns its two questions of each message (a crisis? a grave one?).

One thread and fixed seeds, so that one machine gives the same numbers each time.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import torch
from numpy.typing import NDArray

from smallhours.train.risk.reader import Floats, Reader
from smallhours.train.risk.recipe import Recipe
from smallhours.train.risk.text import Line, folds

Say = Callable[[str], object]


def fit(lines: Sequence[Line], recipe: Recipe, say: Say) -> Reader:
    """A reader that has learnt from ``lines``."""
    torch.set_num_threads(1)
    reader = Reader(recipe)
    ids = [reader.tokens(line.text) for line in lines]
    truth = torch.tensor([[line.is_crisis, line.is_grave] for line in lines], dtype=torch.float32)
    tuned, new = reader.parts()
    optimizer = torch.optim.AdamW(
        [{"params": tuned, "lr": recipe.rate}, {"params": new, "lr": recipe.head_rate}], weight_decay=0.01
    )
    steps = recipe.epochs * math.ceil(len(lines) / recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps, recipe.warmup))
    order = random.Random(recipe.seed)
    reader.train()
    for epoch in range(recipe.epochs):
        total = 0.0
        for batch in _batches([len(row) for row in ids], recipe.batch, order):
            logits = reader([ids[row] for row in batch])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth[batch])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_([*tuned, *new], 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        say(f"  reader: pass {epoch + 1} of {recipe.epochs}, loss {total / len(lines):.3f}\n")
    return reader.eval()


def margins(reader: Reader, texts: Sequence[str]) -> NDArray[np.float64]:
    """``(n, 2)`` logits, crisis and grave."""
    ids = [reader.tokens(text) for text in texts]
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    found = np.zeros((len(texts), 2))
    with torch.no_grad():
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            found[rows] = reader([ids[row] for row in rows]).numpy()
    return found


def learn(
    lines: Sequence[Line], recipe: Recipe, say: Say, processes: int = 1
) -> tuple[NDArray[np.float64], dict[str, Floats]]:
    """What ships, and how it does: ``(n, 2)`` logits of each line by a reader that saw nothing of its style,
    and what a reader learnt from all lines.

    The trainings do not depend on each other; with several ``processes`` they run side by side.
    """
    fold = folds(lines, recipe.folds)
    aside = [[row for row, at in enumerate(fold) if at == number] for number in range(recipe.folds)]
    jobs = [_Job(lines, recipe, rows, f"fold {n} of {recipe.folds}") for n, rows in enumerate(aside, start=1)]
    jobs.append(_Job(lines, recipe, [], "on all lines"))
    say(f"  reader: {len(jobs)} trainings in {processes} process(es)\n")
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            results = list(pool.map(_Job.done, jobs))
    else:
        results = [job.done() for job in jobs]
    found = np.zeros((len(lines), 2))
    for rows, (scores, _) in zip(aside, results, strict=False):
        found[rows] = scores
    return found, results[-1][1]


@dataclass(frozen=True)
class _Job:
    """One training; ``aside`` are the rows that it does not see."""

    lines: Sequence[Line]
    recipe: Recipe
    aside: Sequence[int]
    name: str

    def done(self) -> tuple[NDArray[np.float64], dict[str, Floats]]:
        """The logits of what was held aside, and what was learnt."""
        away = set(self.aside)
        seen = [line for row, line in enumerate(self.lines) if row not in away]
        reader = fit(seen, self.recipe, lambda told: sys.stderr.write(f"{self.name}:{told}"))
        return margins(reader, [self.lines[row].text for row in self.aside]), reader.learnt()


def _rate(step: int, steps: int, warmup: float) -> float:
    return min(1.0, (step + 1) / max(1.0, warmup * steps)) * max(0.02, 1 - step / steps)


def _batches(lengths: Sequence[int], size: int, order: random.Random) -> Iterator[list[int]]:
    """Rows of like length together, in random order."""
    rows = list(range(len(lengths)))
    order.shuffle(rows)
    found = []
    for start in range(0, len(rows), size * 20):
        near = sorted(rows[start : start + size * 20], key=lengths.__getitem__)
        found += [near[at : at + size] for at in range(0, len(near), size)]
    order.shuffle(found)
    yield from found
