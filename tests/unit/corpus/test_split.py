"""What is held out has nothing of its kind in training."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smallhours.corpus.augment import augment
from smallhours.corpus.split import assign_groups, held_out_cautions, leaks, overlaps, split_groups
from smallhours.corpus.text import asked
from smallhours.domain.errors import DataError
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example, Split
from smallhours.semantics.vectors import Encoder

THRESHOLD = 0.8


def pair(id_: str, question: str, answer: str, topic: str = "general") -> Example:
    messages = (Message(role=Role.USER, content=question), Message(role=Role.ASSISTANT, content=answer))
    return Example(id=id_, messages=messages, topic=topic)


class TestGroups:
    def test_a_planted_near_duplicate_answer_is_found(self, bag_of_words: Encoder) -> None:
        answer = "drink some water and rest for a while before you decide anything at all"
        pairs = [
            pair("a", "one", answer),
            pair("b", "two", "something else entirely"),
            pair("c", "three", answer + " tonight"),
        ]
        assert [e.group for e in assign_groups(pairs, bag_of_words, THRESHOLD)] == ["g0001", "g0002", "g0001"]

    def test_the_same_question_in_other_dress_shares_a_group(self, bag_of_words: Encoder) -> None:
        pairs = [pair("a", "I can't sleep!", "rest"), pair("b", "i cant sleep", "write it down")]
        assert len({e.group for e in assign_groups(pairs, bag_of_words, THRESHOLD)}) == 1

    def test_links_are_followed(self, bag_of_words: Encoder) -> None:
        pairs = [pair("a", "one", "x"), pair("b", "one", "y"), pair("c", "two", "y"), pair("d", "three", "z")]
        assert [e.group for e in assign_groups(pairs, bag_of_words, THRESHOLD)] == ["g0001"] * 3 + ["g0002"]

    def test_a_group_that_was_given_stays_together(self, bag_of_words: Encoder) -> None:
        pairs = [pair("a", "one", "x"), pair("b", "two", "y")]
        given_group = [example.model_copy(update={"group": "mine"}) for example in pairs]
        assert len({e.group for e in assign_groups(given_group, bag_of_words, THRESHOLD)}) == 1


class TestSplit:
    def test_shares_and_topics_are_kept(self, builtin: list[Example], bag_of_words: Encoder) -> None:
        splits = split_groups(assign_groups(builtin, bag_of_words, THRESHOLD), 0.10, 0.15, seed=1)
        assert {split: len(examples) for split, examples in splits.items()} == {
            Split.TRAIN: 73,
            Split.VALIDATION: 10,
            Split.TEST: 15,
        }
        for examples in splits.values():
            shares = {t: n / len(examples) for t, n in Counter(e.topic for e in examples).items()}
            assert shares.keys() == {"anxiety", "depression", "sleep", "wellness", "relationships"}
            assert abs(shares["anxiety"] - 0.35) < 0.06

    def test_the_seed_decides(self, builtin: list[Example], bag_of_words: Encoder) -> None:
        grouped = assign_groups(builtin, bag_of_words, THRESHOLD)
        assert split_groups(grouped, 0.1, 0.15, seed=1) == split_groups(grouped, 0.1, 0.15, seed=1)
        assert split_groups(grouped, 0.1, 0.15, seed=1) != split_groups(grouped, 0.1, 0.15, seed=2)

    def test_an_oversized_group_goes_to_training(self, bag_of_words: Encoder) -> None:
        alike = [pair(f"a{n}", f"question {n}", "the very same answer") for n in range(30)]
        others = [pair(f"b{n}", f"other {n}", f"w{n}") for n in range(10)]
        splits = split_groups(assign_groups(alike + others, bag_of_words, THRESHOLD), 0.1, 0.15, seed=3)
        assert {e.id for e in alike} <= {e.id for e in splits[Split.TRAIN]}
        assert len(splits[Split.TEST]) == 6

    def test_fewer_than_three_groups_are_refused(self, bag_of_words: Encoder) -> None:
        pairs = assign_groups([pair(f"a{n}", f"q{n}", "same") for n in range(20)], bag_of_words, THRESHOLD)
        with pytest.raises(DataError, match=r"form 1 group\(s\).*need one each"):
            split_groups(pairs, 0.1, 0.15, seed=1)


QUESTIONS = [
    "how can i rest",
    "could you explain how to rest",
    "what are ways to rest",
    "cant sleep",
    "why do i cry",
]
ANSWERS = [
    "lie down and rest now",
    "lie down and rest now please",
    "write it all down",
    "call a friend",
    "see a doctor",
]
drawn_pairs = st.lists(
    st.tuples(st.sampled_from(QUESTIONS), st.sampled_from(ANSWERS), st.sampled_from(["x", "y", "z"])),
    min_size=3,
    max_size=30,
)
shares = st.floats(0.01, 0.49)


@given(drawn=drawn_pairs, validation=shares, test=shares, seed=st.integers(0, 5))
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
def test_nothing_held_out_is_ever_trained_on(
    bag_of_words: Encoder, drawn: list[tuple[str, str, str]], validation: float, test: float, seed: int
) -> None:
    pairs = [pair(f"p{n}", question, answer, topic) for n, (question, answer, topic) in enumerate(drawn)]
    grouped = assign_groups(pairs, bag_of_words, THRESHOLD)
    try:
        splits = split_groups(grouped, validation, test, seed)
    except DataError:
        assert len({example.group for example in grouped}) < 3
        return
    held_out = splits[Split.VALIDATION] + splits[Split.TEST]
    train = augment(splits[Split.TRAIN], 4, seed, avoid={asked(example) for example in held_out})

    assert all(splits.values())
    assert sorted(e.id for part in splits.values() for e in part) == sorted(e.id for e in pairs)
    groups = [{example.group for example in part} for part in splits.values()]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert not {asked(example) for example in train} & {asked(example) for example in held_out}
    assert not {example.answer for example in train} & {example.answer for example in held_out}
    originals = splits[Split.TRAIN]
    assert all(leak.field == "question" for leak in leaks(originals, held_out, bag_of_words, THRESHOLD))


@pytest.mark.parametrize(("pairs", "told"), [(3, 2), (10, 2), (70, 1), (98, 0)])
def test_a_held_out_part_too_small_to_mean_much_is_told(pairs: int, told: int) -> None:
    made = [pair(f"p{n}", f"why {n}", f"rest {n}") for n in range(pairs)]
    grouped = [one.model_copy(update={"group": one.id}) for one in made]
    splits = split_groups(grouped, 0.10, 0.15, seed=1)
    cautions = held_out_cautions(splits)
    assert len(cautions) == told and len(splits[Split.TRAIN]) >= pairs // 3
    for split, line in zip((Split.VALIDATION, Split.TEST), cautions, strict=False):
        assert f"Pairs in the {split} split: {len(splits[split])}." in line


class TestLeaks:
    def test_a_planted_leak_is_caught_and_named(self, bag_of_words: Encoder) -> None:
        train = [pair("t1", "how can i rest", "write it all down"), pair("t2", "cant sleep", "call a friend")]
        held_out = [
            pair("h1", "why do i cry", "see a doctor"),
            pair("h2", "cant eat", "write it all down now"),
        ]
        (leak,) = leaks(train, held_out, bag_of_words, bound=0.8)
        assert (leak.field, leak.held_out, leak.train) == ("answer", "h2", "t1")
        assert leak.similarity == pytest.approx(4 / 20**0.5)

    def test_every_held_out_text_has_its_nearest(self, bag_of_words: Encoder) -> None:
        train = [pair("t1", "how can i rest", "write it all down")]
        found = overlaps(train, train, bag_of_words)
        assert [o.field for o in found] == ["question", "answer"]
        assert all(o.similarity == pytest.approx(1) for o in found)
