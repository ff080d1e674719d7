"""Folds keep groups whole, measure originals once each, and say how sure their mean is."""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.domain.errors import DataError
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example
from smallhours.train.responder.chart import draw_folds
from smallhours.train.responder.fold_split import make_folds
from smallhours.train.responder.folds import mean_interval, summarize


def example(name: str, group: str, parent: str | None = None) -> Example:
    turns = (Message(role=Role.USER, content="q"), Message(role=Role.ASSISTANT, content="a"))
    return Example(id=name, group=group, parent=parent, messages=turns)


def dataset(sizes: list[int], rewordings: int = 0) -> list[Example]:
    made = []
    for group, size in enumerate(sizes):
        for row in range(size):
            made.append(example(f"{group}-{row}", str(group)))
            made += [example(f"{group}-{row}r{i}", str(group), f"{group}-{row}") for i in range(rewordings)]
    return made


@given(
    st.lists(st.integers(1, 6), min_size=8, max_size=30),
    st.integers(2, 6),
    st.integers(1, 3),
    st.integers(0, 2),
)
def test_every_original_is_held_out_once_per_repeat_and_no_group_is_torn(
    sizes: list[int], folds: int, repeats: int, rewordings: int
) -> None:
    examples = dataset(sizes, rewordings)
    made = make_folds(examples, folds, repeats, 0.2, 48, seed=1)
    assert len(made) == folds * repeats
    for repeat in range(1, repeats + 1):
        held = Counter(e.id for fold in made if fold.repeat == repeat for e in fold.held_out)
        assert held == Counter(e.id for e in examples if e.parent is None)
    for fold in made:
        sides = [{e.group for e in side} for side in (fold.train, fold.validation, fold.held_out)]
        assert all(sides), "no side is empty"
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
        assert all(e.parent is None for e in (*fold.validation, *fold.held_out))


def test_folds_are_nearly_equal_and_depend_on_seed_and_repeat_alone() -> None:
    examples = dataset([1] * 20)
    made = make_folds(examples, 5, 2, 0.1, 48, seed=1)
    assert {len(fold.held_out) for fold in made} == {4}
    assert made == make_folds(examples, 5, 2, 0.1, 48, seed=1)
    first, second = ([fold.held_out for fold in made if fold.repeat == r] for r in (1, 2))
    assert first != second
    assert made != make_folds(examples, 5, 2, 0.1, 48, seed=2)


@pytest.mark.parametrize(("groups", "folds"), [(4, 5), (2, 2), (3, 2)])
def test_too_few_groups_are_counted_in_the_error(groups: int, folds: int) -> None:
    with pytest.raises(DataError, match=rf"{groups} group.*{folds} folds.*--folds"):
        make_folds(dataset([1] * groups), folds, 1, 0.2, 48, seed=1)


def test_the_interval_is_students_where_training_sets_do_not_overlap() -> None:
    values = [2.1, 2.4, 1.9, 2.2, 2.6]
    found = mean_interval(values, held_out_over_train=0.0)
    # The 97.5 % point of Student's t with 4 degrees of freedom, from a printed table.
    half = 2.776 * statistics.stdev(values) / math.sqrt(5)
    assert found.value == pytest.approx(2.24)
    assert (found.low, found.high) == pytest.approx((2.24 - half, 2.24 + half), abs=1e-3)


def test_overlapping_training_sets_widen_it() -> None:
    values = [2.1, 2.4, 1.9, 2.2, 2.6]
    plain, corrected = mean_interval(values, 0.0), mean_interval(values, 0.25)
    ratio = (corrected.high - corrected.value) / (plain.high - plain.value)
    assert ratio == pytest.approx(math.sqrt((1 / 5 + 1 / 4) / (1 / 5)))


def test_one_value_has_no_width() -> None:
    assert mean_interval([2.0], 0.5).low == mean_interval([2.0], 0.5).high == 2.0


def test_the_summary_is_about_paired_folds(tmp_path: Path) -> None:
    noise = random.Random(1)
    results = []
    for number in range(1, 6):
        hard = noise.uniform(2.0, 4.0)
        results.append(
            {"repeat": 1, "fold": number, "train": 80, "held_out": 20, "seconds": 1.0, "peak_memory_bytes": 5,
             "held_out_loss_before": hard, "held_out_loss_after": hard - 0.5}
        )  # fmt: skip
    found = summarize(results)
    assert found["held_out_loss_reduction"]["value"] == pytest.approx(0.5)
    assert found["held_out_loss_reduction"]["high"] == pytest.approx(0.5)
    assert found["held_out_loss_before"]["high"] > found["held_out_loss_before"]["value"] + 0.1
    draw_folds(results, tmp_path / "folds.png")
    assert (tmp_path / "folds.png").read_bytes().startswith(b"\x89PNG")
