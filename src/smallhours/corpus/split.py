"""Who is trained on and who is kept back: groups of similar answers are never torn apart."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

from smallhours.corpus.text import asked
from smallhours.domain.errors import DataError
from smallhours.domain.messages import Frozen
from smallhours.domain.records import Example, Split
from smallhours.semantics.neighbours import best_matches, groups_by_similarity
from smallhours.semantics.vectors import Encoder

Group = list[Example]

FEW_HELD_OUT = 8  # of 8, a share of a half has a 95 % interval (Wilson) from 22 to 78 %


class Overlap(Frozen):
    """How near a held-out text comes to the training text most like it (cosine, -1 to 1)."""

    field: Literal["question", "answer"]
    held_out: str
    train: str
    similarity: float


def assign_groups(examples: Sequence[Example], vectors: Encoder, threshold: float) -> list[Example]:
    """The same examples with ``group`` set (``g0001`` …, in order of first appearance).

    Examples share a group when their answers are alike (cosine at least ``threshold``), when they
    ask the very same thing, when they came with the same group, or through a chain of these.
    """
    # Each answer once: a canned one that stands in a thousand rows would give a million equal pairs.
    answers = list(dict.fromkeys(example.answer for example in examples))
    found = dict(zip(answers, groups_by_similarity(vectors.encode(answers), threshold), strict=True))
    numbers = [found[example.answer] for example in examples]
    parents = list(range(max(numbers, default=-1) + 1))

    def root(number: int) -> int:
        while parents[number] != number:
            number = parents[number]
        return number

    first: dict[tuple[str, str], int] = {}
    for example, number in zip(examples, numbers, strict=True):
        keys = [("asked", asked(example))] + [("given", example.group)] * bool(example.group)
        for key in keys:
            one, other = root(first.setdefault(key, number)), root(number)
            parents[max(one, other)] = min(one, other)
    names: dict[int, str] = {}
    roots = [root(number) for number in numbers]
    for number in roots:
        names.setdefault(number, f"g{len(names) + 1:04d}")
    return [e.model_copy(update={"group": names[r]}) for e, r in zip(examples, roots, strict=True)]


def split_groups(
    examples: Sequence[Example], validation_share: float, test_share: float, seed: int
) -> dict[Split, list[Example]]:
    """Whole groups to training, validation and test; shares count examples and are met nearly.

    Topics keep their proportions as far as whole groups allow: a topic of two or more groups is in
    the test set if that is large enough for all of them, and always keeps a group for training.
    The same seed gives the same split. No split is empty.

    Raises:
        DataError: if there are fewer than three groups.
    """
    pools = _shuffled_groups(examples, seed)
    groups = sum(len(pool) for pool in pools.values())
    if groups < 3:
        raise DataError(
            f"the answers form {groups} group(s) of similar ones; training, validation and test need one "
            "each. Add pairs with different answers, or raise corpus.group_similarity"
        )
    held: dict[str, Split] = {}
    for split, share, leave in ((Split.TEST, test_share, 2), (Split.VALIDATION, validation_share, 1)):
        for group in _draw(pools, math.floor(share * len(examples) + 0.5), leave):
            held[group[0].group] = split
    result: dict[Split, list[Example]] = {split: [] for split in Split}
    for example in examples:
        result[held.get(example.group, Split.TRAIN)].append(example)
    return result


def held_out_cautions(splits: Mapping[Split, Sequence[Example]]) -> list[str]:
    """A line for each held-out split that is too small for its figures to mean much."""
    uses = {Split.VALIDATION: "the point where training stops", Split.TEST: "what the report measures"}
    return [
        f"Pairs in the {split} split: {len(splits[split])}. With fewer than {FEW_HELD_OUT}, {use} "
        "means little; take the run as a trial, and add pairs."
        for split, use in uses.items()
        if len(splits[split]) < FEW_HELD_OUT
    ]


def overlaps(train: Sequence[Example], held_out: Sequence[Example], vectors: Encoder) -> list[Overlap]:
    """For the question and the answer of each held-out example, the nearest of training."""
    found = []
    fields: tuple[Literal["question", "answer"], ...] = ("question", "answer")
    for field in fields:
        known = vectors.encode([getattr(example, field) for example in train])
        kept = vectors.encode([getattr(example, field) for example in held_out])
        found += [
            Overlap(
                field=field, held_out=example.id, train=train[near.position].id, similarity=near.similarity
            )
            for example, near in zip(held_out, best_matches(kept, known), strict=True)
        ]
    return found


def leaks(
    train: Sequence[Example], held_out: Sequence[Example], vectors: Encoder, bound: float
) -> list[Overlap]:
    """Held-out texts that training as good as contains: cosine at least ``bound``, worst first."""
    found = [overlap for overlap in overlaps(train, held_out, vectors) if overlap.similarity >= bound]
    return sorted(found, key=lambda overlap: -overlap.similarity)


def _shuffled_groups(examples: Sequence[Example], seed: int) -> dict[str, list[Group]]:
    """Topic -> its groups in random order; a group belongs to the topic of most of its members."""
    members: dict[str, Group] = defaultdict(list)
    for example in examples:
        members[example.group].append(example)
    pools: dict[str, list[Group]] = defaultdict(list)
    for group in members.values():
        pools[Counter(example.topic for example in group).most_common(1)[0][0]].append(group)
    for topic, pool in pools.items():
        random.Random(f"{seed}/{topic}").shuffle(pool)
    return dict(sorted(pools.items()))


def _draw(pools: dict[str, list[Group]], wanted: int, leave: int) -> list[Group]:
    """Take groups of about ``wanted`` examples out of the pools.

    At least one, so long as ``leave`` groups stay in all, and a topic's last only if nothing else will do.
    """
    spare = sum(len(pool) for pool in pools.values()) - leave
    drawn: list[Group] = []
    for topic, seats in _seats(pools, wanted).items():
        pool = pools[topic]
        smallest = min(len(group) for group in pool)
        # Better a little too much of a topic than nothing of it.
        room = max(seats, smallest) if seats and smallest <= wanted else seats
        for group in list(pool):
            if len(group) <= room and len(pool) > 1 and len(drawn) < spare:
                drawn.append(group)
                pool.remove(group)
                room -= len(group)
    if not drawn:
        pool = max(pools.values(), key=len)
        drawn.append(min(pool, key=len))
        pool.remove(drawn[0])
    return drawn


def _seats(pools: dict[str, list[Group]], wanted: int) -> dict[str, int]:
    """Divide ``wanted`` among the topics that can spare a group, by size (Sainte-Laguë).

    One each first if there are enough.
    """
    sizes = {topic: sum(len(group) for group in pool) for topic, pool in pools.items() if len(pool) > 1}
    seats = {topic: int(wanted >= len(sizes)) for topic in sizes}
    while sizes and sum(seats.values()) < wanted:
        seats[max(sizes, key=lambda topic: sizes[topic] / (2 * seats[topic] + 1))] += 1
    return seats
