"""Who is trained on and who is kept back: groups of similar answers are never torn apart."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from smallhours.domain.errors import DataError
from smallhours.domain.records import Split

FEW_HELD_OUT = 8
SPLITS = (Split.TRAIN, Split.VALIDATION, Split.TEST)


def split_groups(
    groups: NDArray[np.int64],
    topics: NDArray[np.int64],
    topic_names: Sequence[str],
    validation_share: float,
    test_share: float,
    seed: int,
) -> NDArray[np.int8]:
    """The split of each row as an index of ``SPLITS``; shares count rows and are met nearly.

    Topics keep their proportions as far as whole groups allow: a topic of two or more groups is in
    the test set if that is large enough for all of them, and always keeps a group for training.
    The same seed gives the same split. No split is empty.

    Raises:
        DataError: if there are fewer than three groups.
    """
    sizes = np.bincount(groups)
    if len(sizes) < 3:
        raise DataError(
            f"the answers form {len(sizes)} group(s) of similar ones; training, validation and test need one "
            "each. Add pairs with different answers, or raise corpus.group_similarity"
        )
    pools = _shuffled_groups(groups, topics, topic_names, len(sizes), seed)
    held = np.zeros(len(sizes), dtype=np.int8)
    for split, share, leave in ((Split.TEST, test_share, 2), (Split.VALIDATION, validation_share, 1)):
        drawn = _draw(pools, sizes, math.floor(share * len(groups) + 0.5), leave)
        held[drawn] = SPLITS.index(split)
    return held[groups]


def held_out_cautions(sizes: Mapping[Split, int]) -> list[str]:
    """A line for each held-out split that is too small for its figures to mean much."""
    uses = {Split.VALIDATION: "the point where training stops", Split.TEST: "what the report measures"}
    return [
        f"Pairs in the {split} split: {sizes[split]}. With fewer than {FEW_HELD_OUT}, {use} "
        "means little; take the run as a trial, and add pairs."
        for split, use in uses.items()
        if sizes[split] < FEW_HELD_OUT
    ]


def _shuffled_groups(
    groups: NDArray[np.int64], topics: NDArray[np.int64], names: Sequence[str], count: int, seed: int
) -> dict[str, list[int]]:
    """Topic -> its groups in random order; a group belongs to the topic of most of its members."""
    together, members = np.unique(np.stack([groups, topics]), axis=1, return_counts=True)
    # The last of a group's topics in this order is its largest, the earliest met of equals.
    order = np.lexsort((-together[1], members, together[0]))
    topic_of = np.zeros(count, dtype=np.int64)
    topic_of[together[0][order]] = together[1][order]
    pools: dict[str, list[int]] = defaultdict(list)
    for group, topic in enumerate(topic_of.tolist()):
        pools[names[topic]].append(group)
    for name, pool in pools.items():
        random.Random(f"{seed}/{name}").shuffle(pool)
    return dict(sorted(pools.items()))


def _draw(pools: dict[str, list[int]], sizes: NDArray[np.int64], wanted: int, leave: int) -> list[int]:
    """Take groups of about ``wanted`` rows out of the pools.

    At least one, so long as ``leave`` groups stay in all, and a topic's last only if nothing else will do.
    """
    spare = sum(len(pool) for pool in pools.values()) - leave
    drawn: list[int] = []
    for topic, seats in _seats(pools, sizes, wanted).items():
        pool = pools[topic]
        smallest = int(sizes[pool].min())
        # Better a little too much of a topic than nothing of it.
        room = max(seats, smallest) if seats and smallest <= wanted else seats
        kept: list[int] = []
        for position, group in enumerate(pool):
            left = len(pool) - position - 1 + len(kept)
            if sizes[group] <= room and left and len(drawn) < spare:
                drawn.append(group)
                room -= int(sizes[group])
            else:
                kept.append(group)
        pools[topic] = kept
    if not drawn:
        topic = max(pools, key=lambda name: len(pools[name]))
        drawn.append(min(pools[topic], key=lambda group: int(sizes[group])))
        pools[topic].remove(drawn[0])
    return drawn


def _seats(pools: dict[str, list[int]], sizes: NDArray[np.int64], wanted: int) -> dict[str, int]:
    """Divide ``wanted`` among the topics that can spare a group, by size (Sainte-Laguë).

    One each first if there are enough.
    """
    rows = {topic: int(sizes[pool].sum()) for topic, pool in pools.items() if len(pool) > 1}
    seats = {topic: int(wanted >= len(rows)) for topic in rows}
    while rows and sum(seats.values()) < wanted:
        seats[max(rows, key=lambda topic: rows[topic] / (2 * seats[topic] + 1))] += 1
    return seats
