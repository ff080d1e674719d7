"""What is near what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhours.semantics import neighbours
from smallhours.semantics.neighbours import best_matches, links, nearest
from smallhours.semantics.union import Union
from smallhours.semantics.vectors import Vectors


def at(*degrees: float) -> Vectors:
    """Vectors of length 1 in the plane."""
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def groups_by_similarity(vectors: Vectors, threshold: float) -> list[int]:
    union = Union(len(vectors))
    for one, other in links(vectors, threshold):
        union.link(one, other)
    return union.numbers().tolist()


def test_the_nearest_come_first_and_equals_in_order() -> None:
    found = nearest(at(0)[0], at(90, 10, 0, 10), 3)
    assert [n.position for n in found] == [2, 1, 3]
    assert found[0].similarity == pytest.approx(1)


def test_there_are_never_more_than_there_are() -> None:
    assert len(nearest(at(0)[0], at(1, 2), 9)) == 2
    assert nearest(at(0)[0], at(), 3) == []
    assert nearest(at(0)[0], at(1), 0) == []


def test_best_matches_answer_every_query() -> None:
    assert [n.position for n in best_matches(at(0, 80, 44), at(90, 45, 0))] == [2, 0, 1]


def test_groups_follow_links_and_count_from_the_first() -> None:
    # 0 and 30 are linked through 15; the threshold allows 20 degrees.
    assert groups_by_similarity(at(30, 90, 0, 15, 91), np.cos(np.radians(20))) == [0, 1, 0, 0, 1]


def test_identical_rows_are_one_group_at_a_threshold_of_one() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 512)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert groups_by_similarity(np.concatenate([rows, rows]), 1.0) == [0, 1, 2, 0, 1, 2]


def test_no_vectors_no_groups() -> None:
    assert groups_by_similarity(at(), 0.8) == []


@given(st.lists(st.integers(0, 359), max_size=40), st.integers(1, 60), st.integers(1, 7))
@settings(max_examples=100, deadline=None, database=None)
def test_groups_are_the_same_in_blocks_of_any_size(degrees: list[int], reach: int, block: int) -> None:
    vectors, threshold = at(*degrees), float(np.cos(np.radians(reach + 0.5)))
    whole = groups_by_similarity(vectors, threshold)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "BLOCK", block)
        assert groups_by_similarity(vectors, threshold) == whole
    for i, one in enumerate(degrees):
        for j, other in enumerate(degrees):
            apart = min(abs(one - other), 360 - abs(one - other))
            assert apart > reach or whole[i] == whole[j]
