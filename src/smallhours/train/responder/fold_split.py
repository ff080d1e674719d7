"""Grouped folds: whole groups of similar answers into parts of nearly equal size."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from smallhours.domain.errors import DataError
from smallhours.domain.records import Example


@dataclass(frozen=True)
class Fold:
    """One split: which examples train, which decide when to stop, which are held out."""

    repeat: int
    number: int
    train: list[Example]
    validation: list[Example]
    held_out: list[Example]

    @property
    def name(self) -> str:
        """``2-1``: the first fold of the second repeat."""
        return f"{self.repeat}-{self.number}"


def make_folds(
    examples: Sequence[Example],
    folds: int,
    repeats: int,
    validation_share: float,
    most_validation: int,
    seed: int,
) -> list[Fold]:
    """Whole groups into ``folds`` parts of nearly equal size, ``repeats`` times in another random order.

    Rewordings train and are never measured on.

    Raises:
        DataError: too few groups: every fold needs one, and so do training and validation beside it.
    """
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.group or example.id].append(example)
    too_few = DataError(
        f"the dataset has {len(groups)} group(s) of similar answers outside its test split, too few for "
        f"{folds} folds with two more beside each to train on and to stop by: lower --folds, or add pairs "
        "with different answers"
    )
    if len(groups) < folds:
        raise too_few
    made = []
    for repeat in range(1, repeats + 1):
        parts = _parts(groups, folds, random.Random(f"{seed}/{repeat}"))
        for number, held in enumerate(parts, start=1):
            rest = [name for name in groups if name not in held]
            if len(rest) < 2:
                raise too_few
            random.Random(f"{seed}/{repeat}/{number}").shuffle(rest)
            stop = _stopping(rest, groups, validation_share, most_validation)
            made.append(
                Fold(
                    repeat,
                    number,
                    train=[e for name in rest if name not in stop for e in groups[name]],
                    validation=_originals(groups, stop),
                    held_out=_originals(groups, held),
                )
            )
    return made


def _parts(groups: dict[str, list[Example]], folds: int, order: random.Random) -> list[set[str]]:
    """The largest group first, each to the part that is smallest so far; equals in random order."""
    names = list(groups)
    order.shuffle(names)
    parts: list[set[str]] = [set() for _ in range(folds)]
    sizes = [0] * folds
    for name in sorted(names, key=lambda name: -len(groups[name])):
        smallest = sizes.index(min(sizes))
        parts[smallest].add(name)
        sizes[smallest] += len(groups[name])
    return parts


def _stopping(names: list[str], groups: dict[str, list[Example]], share: float, most: int) -> set[str]:
    """Groups that decide when to stop: about ``share`` of the originals, at least one group, never all."""
    originals = sum(len(_originals(groups, {name})) for name in names)
    wanted = min(most, max(1, round(share * originals)))
    taken: set[str] = set()
    rows = 0
    for name in names[:-1]:
        if rows >= wanted:
            break
        taken.add(name)
        rows += len(_originals(groups, {name}))
    return taken


def _originals(groups: dict[str, list[Example]], names: set[str]) -> list[Example]:
    return [e for name, members in groups.items() if name in names for e in members if e.parent is None]
