"""What is held out has nothing of its kind in training."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smallhours.corpus.audit import leaks, overlaps
from smallhours.corpus.augment import Augmenter
from smallhours.corpus.grouping import group_numbers
from smallhours.corpus.notes import Notes
from smallhours.corpus.split import SPLITS, held_out_cautions, split_groups
from smallhours.corpus.text import asked
from smallhours.domain.errors import DataError
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example, Split
from smallhours.semantics.vectors import Encoder
from tests.unit.corpus.conftest import ANY_MEANING

THRESHOLD = 0.8


def pair(id_: str, question: str, answer: str, topic: str = "general") -> Example:
    messages = (Message(role=Role.USER, content=question), Message(role=Role.ASSISTANT, content=answer))
    return Example(id=id_, messages=messages, topic=topic)


def noted(pairs: list[Example]) -> Notes:
    notes = Notes()
    for example in pairs:
        notes.add(example)
    return notes


def groups_of(pairs: list[Example], encoder: Encoder) -> list[int]:
    return group_numbers(noted(pairs), encoder, THRESHOLD).tolist()


def split(
    pairs: list[Example], encoder: Encoder, validation: float, test: float, seed: int
) -> dict[Split, list[Example]]:
    notes = noted(pairs)
    groups = group_numbers(notes, encoder, THRESHOLD)
    found = split_groups(groups, notes.topic_codes(), notes.topic_names, validation, test, seed)
    return {
        name: [e for e, at in zip(pairs, found, strict=True) if at == number]
        for number, name in enumerate(SPLITS)
    }


class TestGroups:
    def test_a_planted_near_duplicate_answer_is_found(self, bag_of_words: Encoder) -> None:
        answer = "drink some water and rest for a while before you decide anything at all"
        pairs = [
            pair("a", "one", answer),
            pair("b", "two", "something else entirely"),
            pair("c", "three", answer + " tonight"),
        ]
        assert groups_of(pairs, bag_of_words) == [0, 1, 0]

    def test_the_same_question_in_other_dress_shares_a_group(self, bag_of_words: Encoder) -> None:
        pairs = [pair("a", "I can't sleep!", "rest"), pair("b", "i cant sleep", "write it down")]
        assert groups_of(pairs, bag_of_words) == [0, 0]

    def test_links_are_followed(self, bag_of_words: Encoder) -> None:
        pairs = [pair("a", "one", "x"), pair("b", "one", "y"), pair("c", "two", "y"), pair("d", "three", "z")]
        assert groups_of(pairs, bag_of_words) == [0, 0, 0, 1]

    def test_a_group_that_was_given_stays_together(self, bag_of_words: Encoder) -> None:
        pairs = [pair("a", "one", "x"), pair("b", "two", "y")]
        given_group = [example.model_copy(update={"group": "mine"}) for example in pairs]
        assert groups_of(given_group, bag_of_words) == [0, 0]

    def test_too_many_answers_for_meaning_are_grouped_by_their_letters(
        self, bag_of_words: Encoder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("smallhours.corpus.notes.BY_MEANING", 2)
        answer = "drink some water and rest for a while before you decide anything at all"
        pairs = [
            pair("a", "one", answer),
            pair("b", "two", "something else entirely"),
            pair(
                "c",
                "three",
                "Drink some water, and rest for a while before you decide anything at all today.",
            ),
            pair("d", "four", "all at anything decide you before while a for rest and water some drink"),
        ]
        assert groups_of(pairs, bag_of_words) == [0, 1, 0, 2]


class TestSplit:
    def test_shares_and_topics_are_kept(self, builtin: list[Example], bag_of_words: Encoder) -> None:
        splits = split(builtin, bag_of_words, 0.10, 0.15, seed=1)
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
        first = split(builtin, bag_of_words, 0.1, 0.15, seed=1)
        assert first == split(builtin, bag_of_words, 0.1, 0.15, seed=1)
        assert first != split(builtin, bag_of_words, 0.1, 0.15, seed=2)

    def test_an_oversized_group_goes_to_training(self, bag_of_words: Encoder) -> None:
        alike = [pair(f"a{n}", f"question {n}", "the very same answer") for n in range(30)]
        others = [pair(f"b{n}", f"other {n}", f"w{n}") for n in range(10)]
        splits = split(alike + others, bag_of_words, 0.1, 0.15, seed=3)
        assert {e.id for e in alike} <= {e.id for e in splits[Split.TRAIN]}
        assert len(splits[Split.TEST]) == 6

    def test_fewer_than_three_groups_are_refused(self, bag_of_words: Encoder) -> None:
        pairs = [pair(f"a{n}", f"q{n}", "same") for n in range(20)]
        with pytest.raises(DataError, match=r"form 1 group\(s\).*need one each"):
            split(pairs, bag_of_words, 0.1, 0.15, seed=1)


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
    groups = dict(zip((e.id for e in pairs), groups_of(pairs, bag_of_words), strict=True))
    try:
        splits = split(pairs, bag_of_words, validation, test, seed)
    except DataError:
        assert len(set(groups.values())) < 3
        return
    held_out = splits[Split.VALIDATION] + splits[Split.TEST]
    augmenter = Augmenter(4, seed, ANY_MEANING, set(noted(pairs).asked))
    train = [worded for example in splits[Split.TRAIN] for worded in augmenter.expand(example)]

    assert all(splits.values())
    assert sorted(e.id for part in splits.values() for e in part) == sorted(e.id for e in pairs)
    held = [{groups[example.id] for example in part} for part in splits.values()]
    assert not held[0] & held[1] and not held[0] & held[2] and not held[1] & held[2]
    assert not {asked(example) for example in train} & {asked(example) for example in held_out}
    assert not {example.answer for example in train} & {example.answer for example in held_out}
    originals = splits[Split.TRAIN]
    assert all(leak.field == "question" for leak in leaks(originals, held_out, bag_of_words, THRESHOLD))


@pytest.mark.parametrize(("sizes", "told"), [((1, 1), 2), ((1, 2), 2), ((7, 11), 1), ((10, 15), 0)])
def test_a_held_out_part_too_small_to_mean_much_is_told(sizes: tuple[int, int], told: int) -> None:
    cautions = held_out_cautions({Split.VALIDATION: sizes[0], Split.TEST: sizes[1]})
    assert len(cautions) == told
    for split, size, line in zip((Split.VALIDATION, Split.TEST), sizes, cautions, strict=False):
        assert f"Pairs in the {split} split: {size}." in line


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
