"""Rewordings ask the same thing in other words, and the answer stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhours.corpus.augment import Augmenter
from smallhours.corpus.locks import locked
from smallhours.corpus.notes import key
from smallhours.corpus.rewording import candidates
from smallhours.corpus.text import asked
from smallhours.corpus.tidy import first_question, tidy
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example
from tests.unit.corpus.conftest import ANY_MEANING

MakePair = Callable[..., Example]


def augment(examples: list[Example], expansion: int, seed: int, avoid: Collection[str] = ()) -> list[Example]:
    taken = {key(asked(example)) for example in examples} | {key(wording) for wording in avoid}
    augmenter = Augmenter(expansion, seed, ANY_MEANING, taken)
    return [worded for example in examples for worded in augmenter.expand(example)]


class TestBuiltIn:
    @pytest.mark.parametrize("expansion", [1, 2, 3, 4, 5])
    def test_each_pair_gets_exactly_as_many_as_asked_for(
        self, builtin: list[Example], expansion: int
    ) -> None:
        result = augment(builtin, expansion, seed=7)
        assert len(result) == expansion * len(builtin)
        assert Counter(e.parent for e in result if e.parent) == {
            e.id: expansion - 1 for e in builtin if expansion > 1
        }

    def test_ten_is_a_cap_that_is_nearly_reached(self, builtin: list[Example]) -> None:
        assert len(augment(builtin, 10, seed=7)) >= 0.95 * 10 * len(builtin)

    def test_no_wording_appears_twice(self, builtin: list[Example]) -> None:
        result = augment(builtin, 10, seed=7)
        assert len({asked(example) for example in result}) == len(result)

    def test_only_the_question_changes_and_the_lineage_is_recorded(self, builtin: list[Example]) -> None:
        by_id = {example.id: example for example in builtin}
        numbers: Counter[str] = Counter()
        for example in augment(builtin, 3, seed=7):
            if example.parent is None:
                assert example == by_id[example.id]
                continue
            parent = by_id[example.parent]
            numbers[parent.id] += 1
            assert example.id == f"{parent.id}~{numbers[parent.id]}"
            assert example.rewording
            assert example.messages[-1] == parent.messages[-1]
            fields = {"id", "messages", "parent", "rewording"}
            assert example.model_dump(exclude=fields) == parent.model_dump(exclude=fields)

    def test_negations_numbers_and_clinical_words_are_kept(self, builtin: list[Example]) -> None:
        by_id = {example.id: example for example in builtin}
        for example in augment(builtin, 10, seed=7):
            assert locked(example.question) == locked(by_id[example.parent or example.id].question), example

    def test_the_seed_decides(self, builtin: list[Example]) -> None:
        assert augment(builtin, 3, seed=7) == augment(builtin, 3, seed=7)
        assert augment(builtin, 3, seed=7) != augment(builtin, 3, seed=8)


# The question, and wordings that must be among the candidates.
REWORDINGS = [
    (
        "How can I manage stress better?",
        [
            "What are ways to manage stress better?",
            "How exactly can I manage stress better?",
            "Could you explain how to manage stress better?",
        ],
    ),
    ("cant sleep. how do i wind down", ["cant sleep. what are ways to wind down"]),
    ("how can i stop, what i said was bad", ["could you explain how to stop, what i said was bad"]),
    ("How do I tell my dad I am sad?", ["Do you know how I can tell my dad I am sad?"]),
    ("what helps when i panic", ["is there anything that helps when i panic"]),
    ("i feel low. what should i do?", ["i feel low. what can i do?"]),
    ("why do i feel so tired", ["could you explain why i feel so tired"]),
    ("Why am I always late?", ["Do you know why I am always late?"]),
    ("why cant i cry", ["any idea why i cant cry"]),
    ("is it ok to cry at work", ["would it be ok to cry at work"]),
    ("is it normal that i cry", ["do you think its normal that i cry"]),
    ("Should I tell my boss?", ["Do you think I should tell my boss?"]),
    ("is my sister a bully", ["do you think my sister is a bully"]),
    ("cant sleep again.", ["Can't sleep again. Any advice?", "can i tell you something? cant sleep again."]),
    ("im so tired", ["I'm so tired. What could help?"]),
]


@pytest.mark.parametrize(("question", "expected"), REWORDINGS)
def test_the_rules_know_common_questions(question: str, expected: list[str]) -> None:
    found = {candidate.text for candidate in candidates(question)}
    assert set(expected) <= found


def test_the_seeds_three_wordings_come_first(make_pair: MakePair) -> None:
    result = augment([make_pair("x", "How can I manage stress better?", "Rest.")], 4, seed=1)
    assert {example.question for example in result[1:]} == set(REWORDINGS[0][1])


# Where a rule is unsure it must leave the question alone; a frame around it is fine.
UNTOUCHED = [
    "how do i feel so little",
    "how can i be so stupid",
    "how do you feel about that",
    'he said "how can i help you" and left',
    "i asked him how can i help",
    "can i tell you something",
    "why is my mother like this",
]


@pytest.mark.parametrize("question", UNTOUCHED)
def test_the_rules_leave_alone_what_they_do_not_understand(question: str) -> None:
    assert [c for c in candidates(question) if c.kind in ("question", "spare")] == []


def test_only_the_last_thing_the_person_said_is_reworded(make_pair: MakePair) -> None:
    first = make_pair("x", "i feel low", "Tell me more.")
    talk = first.model_copy(
        update={"messages": (*first.messages, *make_pair("y", "how can i rest", "Lie down.").messages)}
    )
    for example in augment([talk], 4, seed=1)[1:]:
        assert example.messages[:2] == first.messages
        assert example.question != "how can i rest"


def test_wordings_to_avoid_are_avoided(make_pair: MakePair) -> None:
    pair = make_pair("x", "How can I manage stress better?", "Rest.")
    result = augment([pair], 10, seed=1, avoid={"what are ways to manage stress better"})
    assert len(result) == 10
    assert "What are ways to manage stress better?" not in {example.question for example in result}


def test_other_languages_are_left_as_they_are(make_pair: MakePair) -> None:
    pair = make_pair("x", "ich kann nicht schlafen", "Ruh dich aus.", locale="de")
    assert augment([pair], 3, seed=1) == [pair]


class TestLocks:
    @pytest.mark.parametrize("same", ["i can't eat", "I cant eat.", "i cannot eat", "I can’t eat"])
    def test_one_negation_is_one_however_it_is_spelled(self, same: str) -> None:
        assert locked(same) == locked("i cant eat")

    @pytest.mark.parametrize(
        "other", ["i can eat", "i cant not eat", "i cant eat 2", "i cant eat twice", "i cant eat sertraline"]
    )
    def test_what_matters_makes_a_difference(self, other: str) -> None:
        assert locked(other) != locked("i cant eat")

    @pytest.mark.parametrize(
        ("language", "one", "same", "other"),
        [
            ("de", "ich schlafe nicht", "ich schlafe ned", "ich schlafe"),
            ("de", "seit dreißig tagen", "dreißig tage lang", "seit vierzig tagen"),
            ("es", "el médico", "un medico", "el amigo"),
            ("fr", "j'ai peur de l'alcool", "l'alcool me fait peur", "j'ai peur de l'eau"),
            ("pt", "não durmo", "nao durmo", "durmo"),
        ],
    )
    def test_other_languages_have_their_own(self, language: str, one: str, same: str, other: str) -> None:
        assert locked(one, language) == locked(same, language) != locked(other, language)


class TestTidy:
    @pytest.mark.parametrize(
        ("typed", "tidied"),
        [
            ("cant sleep again.", "Can't sleep again."),
            ("im ok. its been 3 hrs", "I'm ok. It's been 3 hours."),
            ("i hate its smell on sunday", "I hate its smell on Sunday."),
            ("3am. why", "3am. Why?"),
            ("I'm fine, really!", "I'm fine, really!"),
        ],
    )
    def test_spelling_is_put_right(self, typed: str, tidied: str) -> None:
        assert tidy(typed) == tidied

    def test_questions_are_seen_without_their_mark(self) -> None:
        assert first_question("how do i stop") == 0
        assert first_question("tired. what now") == 7
        assert first_question("how hard this is, is it me") == 0
        assert first_question("i know how it goes") is None
        assert first_question("well. really?") == 5


@given(st.text(alphabet=st.sampled_from("ihow candoes.?,'\"\n3xé"), min_size=1, max_size=60))
@settings(max_examples=300, deadline=None, database=None)
def test_any_text_can_be_reworded_without_harm(text: str) -> None:
    messages = (Message(role=Role.USER, content=text), Message(role=Role.ASSISTANT, content="Rest."))
    result = augment([Example(id="x", messages=messages)], 5, seed=0)
    assert len({asked(example) for example in result}) == len(result)
    assert all(locked(example.question) == locked(text) for example in result)
