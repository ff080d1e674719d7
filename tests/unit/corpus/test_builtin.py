"""What the pairs that come with the package promise."""

from __future__ import annotations

from collections import Counter

import pytest

from smallhours.corpus.text import asked, count_words, wording
from smallhours.corpus.validate import BUILTIN_ANSWER_WORDS, check_pairs
from smallhours.domain.records import Example

# The composition that the seed describes, in percent.
SHARES = {"anxiety": 35, "depression": 25, "sleep": 15, "wellness": 15, "relationships": 10}


def test_there_are_98_with_ids_of_their_own(builtin: list[Example]) -> None:
    assert len(builtin) == len({example.id for example in builtin}) == 98


def test_nobody_asks_or_is_told_the_same_thing_twice(builtin: list[Example]) -> None:
    assert len({asked(example) for example in builtin}) == 98
    assert len({wording(example.answer) for example in builtin}) == 98


@pytest.mark.parametrize(("topic", "share"), SHARES.items())
def test_topics_have_the_shares_of_the_seed(builtin: list[Example], topic: str, share: float) -> None:
    counts = Counter(example.topic for example in builtin)
    assert set(counts) == set(SHARES)
    assert abs(100 * counts[topic] / len(builtin) - share) <= 1


def test_ids_count_within_their_topic_and_the_file_is_in_that_order(builtin: list[Example]) -> None:
    expected = []
    for topic in dict.fromkeys(example.topic for example in builtin):
        size = sum(example.topic == topic for example in builtin)
        expected += [f"en-{topic}-{number:03d}" for number in range(1, size + 1)]
    assert [example.id for example in builtin] == expected


def test_answers_are_35_to_70_words(builtin: list[Example]) -> None:
    assert all(35 <= count_words(example.answer) <= 70 for example in builtin)


def test_no_two_answers_open_alike(builtin: list[Example]) -> None:
    openings = Counter(" ".join(wording(example.answer).split()[:3]) for example in builtin)
    assert [opening for opening, count in openings.items() if count > 1] == []


def test_nothing_is_questionable_even_by_the_narrower_band(builtin: list[Example]) -> None:
    assert [str(p) for p in check_pairs(builtin, "built-in", BUILTIN_ANSWER_WORDS)] == []


def test_every_pair_says_where_it_is_from(builtin: list[Example]) -> None:
    assert all("unknown" not in (e.source, e.author, e.licence) for e in builtin)
