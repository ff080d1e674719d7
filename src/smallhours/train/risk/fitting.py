"""How the reader learns its questions: of a message, whether it tells of a crisis, and of a grave one; of a
reply, whether it would do harm.

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

from smallhours.train.risk.reader import QUESTIONS, Floats, Reader
from smallhours.train.risk.recipe import Recipe
from smallhours.train.risk.text import Line, Reply, folds

Say = Callable[[str], object]


def fit(lines: Sequence[Line], replies: Sequence[Reply], recipe: Recipe, say: Say) -> Reader:
    """A reader that has learnt from ``lines`` and ``replies``."""
    torch.set_num_threads(1)
    reader = Reader(recipe)
    everything: list[Line | Reply] = [*lines, *replies]
    ids = [reader.tokens(one.text) for one in everything]
    truth = torch.tensor([_answers(one) for one in everything])
    tuned, new = reader.parts()
    optimizer = torch.optim.AdamW(
        [{"params": tuned, "lr": recipe.rate}, {"params": new, "lr": recipe.head_rate}], weight_decay=0.01
    )
    steps = recipe.epochs * math.ceil(len(ids) / recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps, recipe.warmup))
    order = random.Random(recipe.seed)
    reader.train()
    for epoch in range(recipe.epochs):
        total = 0.0
        for batch in _batches([len(row) for row in ids], recipe.batch, order):
            logits = reader([ids[row] for row in batch])
            asked = ~truth[batch].isnan()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits[asked], truth[batch][asked])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_([*tuned, *new], 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        say(f"  reader: pass {epoch + 1} of {recipe.epochs}, loss {total / len(ids):.3f}\n")
    return reader.eval()


def _answers(one: Line | Reply) -> list[float]:
    """The truth for each question, not a number where it is not asked."""
    if isinstance(one, Reply):
        return [math.nan, math.nan, float(one.is_harmful)]
    return [float(one.is_crisis), float(one.is_grave), math.nan]


def margins(reader: Reader, texts: Sequence[str]) -> NDArray[np.float64]:
    """``(n, 3)`` logits: crisis, grave, harm."""
    ids = [reader.tokens(text) for text in texts]
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    found = np.zeros((len(texts), QUESTIONS))
    with torch.no_grad():
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            found[rows] = reader([ids[row] for row in rows]).numpy()
    return found


@dataclass(frozen=True)
class Learnt:
    """What a reader learnt from everything, and how readers did on what they saw nothing of by style: logits
    of all lines, ``(n, QUESTIONS)``, and of all replies.
    """

    weights: dict[str, Floats]
    lines: NDArray[np.float64]
    replies: NDArray[np.float64]


def learn(
    lines: Sequence[Line], replies: Sequence[Reply], recipe: Recipe, say: Say, processes: int = 1
) -> Learnt:
    """Train on everything, and once for each fold held aside.

    The trainings do not depend on each other; with several ``processes`` they run side by side.
    """
    fold, reply_fold = folds(lines, recipe.folds), folds(replies, recipe.folds)
    jobs = [
        _Job(lines, replies, recipe, _places(fold, n), _places(reply_fold, n), f"fold {n + 1}")
        for n in range(recipe.folds)
    ]
    jobs.append(_Job(lines, replies, recipe, [], [], "on everything"))
    say(f"  reader: {len(jobs)} trainings in {processes} process(es)\n")
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            results = list(pool.map(_Job.done, jobs))
    else:
        results = [job.done() for job in jobs]
    aside, said = np.zeros((len(lines), QUESTIONS)), np.zeros((len(replies), QUESTIONS))
    for job, (of_lines, of_replies, _) in zip(jobs, results, strict=True):
        aside[job.aside], said[job.unsaid] = of_lines, of_replies
    return Learnt(results[-1][2], aside, said)


def _places(fold: Sequence[int], number: int) -> list[int]:
    return [row for row, at in enumerate(fold) if at == number]


@dataclass(frozen=True)
class _Job:
    """One training; ``aside`` and ``unsaid`` are the lines and replies that it does not see."""

    lines: Sequence[Line]
    replies: Sequence[Reply]
    recipe: Recipe
    aside: list[int]
    unsaid: list[int]
    name: str

    def done(self) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, Floats]]:
        """The logits of what was held aside, and what was learnt."""
        away, unsaid = set(self.aside), set(self.unsaid)
        reader = fit(
            [line for row, line in enumerate(self.lines) if row not in away],
            [reply for row, reply in enumerate(self.replies) if row not in unsaid],
            self.recipe,
            lambda told: sys.stderr.write(f"{self.name}:{told}"),
        )
        return (
            margins(reader, [self.lines[row].text for row in self.aside]),
            margins(reader, [self.replies[row].text for row in self.unsaid]),
            reader.learnt(),
        )


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
