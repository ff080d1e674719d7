"""Every example once per epoch, in an order that the seed alone decides."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhours.llm.answer_loss import Encoded
from smallhours.train.responder.batches import epoch_batches, steps_per_epoch


def examples(lengths: list[int]) -> list[Encoded]:
    """The one learnt id names the example, so that it can be found again in a batch."""
    return [Encoded(str(i), (*(0,) * n, i + 1), (*(False,) * n, True)) for i, n in enumerate(lengths)]


def order(lengths: list[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    return [b.labels.tolist() for (b,) in epoch_batches(examples(lengths), batch_size, 0, seed, epoch)]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=50), st.integers(1, 9), st.integers(0, 5))
def test_each_example_is_seen_once(lengths: list[int], batch_size: int, seed: int) -> None:
    batches = order(lengths, batch_size, seed, 0)
    assert sorted(i for batch in batches for i in batch) == list(range(1, len(lengths) + 1))
    assert len(batches) >= steps_per_epoch(len(lengths), batch_size)


def test_order_depends_on_seed_and_epoch_alone() -> None:
    lengths = list(range(1, 41))
    assert order(lengths, 4, 1, 0) == order(lengths, 4, 1, 0)
    assert order(lengths, 4, 1, 0) != order(lengths, 4, 1, 1)
    assert order(lengths, 4, 1, 0) != order(lengths, 4, 2, 0)


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=50),
    st.integers(1, 9),
    st.integers(1, 5),
    st.integers(0, 5),
)
def test_processes_share_each_batch_and_know_all_of_it(
    lengths: list[int], batch_size: int, processes: int, seed: int
) -> None:
    made = examples(lengths)
    alone = [b for (b,) in epoch_batches(made, batch_size, 0, seed, 0)]
    shares = [
        [b for (b,) in epoch_batches(made, batch_size, 0, seed, 0, p, processes)] for p in range(processes)
    ]
    for batch, *parts in zip(alone, *shares, strict=True):
        assert sorted(i for part in parts for i in part.labels.tolist()) == sorted(batch.labels.tolist())
        assert len({len(part.counts) for part in parts}) == 1
        assert all(part.of_labels == batch.of_labels == len(batch.labels) for part in parts)
        assert all(part.tokens == batch.tokens for part in parts)


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=50),
    st.integers(1, 9),
    st.integers(1, 200),
    st.integers(0, 5),
)
def test_a_batch_in_parts_is_the_same_batch(
    lengths: list[int], batch_size: int, most: int, seed: int
) -> None:
    made = examples(lengths)
    wholes = [b for (b,) in epoch_batches(made, batch_size, 0, seed, 0)]
    for whole, parts in zip(wholes, epoch_batches(made, batch_size, 0, seed, 0, together=most), strict=True):
        assert [i for part in parts for i in part.labels.tolist()] == whole.labels.tolist()
        assert all(part.of_labels == len(whole.labels) for part in parts)
        assert all(part.tokens == whole.tokens for part in parts)
        assert all(len(part.counts) == 1 or sum(part.layout.lengths) <= 2 * most + 31 for part in parts)
        if whole.tokens <= most:
            assert len(parts) == 1
