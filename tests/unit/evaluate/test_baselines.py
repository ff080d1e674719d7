"""Everybody gets the same question, and the figures are of what they said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from smallhours.domain.messages import Message, Role
from smallhours.domain.ports import Sampling
from smallhours.domain.records import Example
from smallhours.evaluate.baselines import (
    Timing,
    answer_figures,
    asked,
    choose,
    collect_answers,
    score_answers,
    speed_figures,
    unsafe_change,
)
from smallhours.evaluate.subjects import Served, Subjects

DRAWS = {"resamples": 200, "seed": 7}
Make = Callable[..., Any]


def ask(subjects: Subjects, examples: list[Example]) -> tuple[list[Any], list[Timing]]:
    return collect_answers(
        examples,
        subjects,
        system_prompt="Be kind.",
        sampling=Sampling(),
        on_progress=lambda what, done, total: None,
    )


def test_both_models_get_our_system_prompt_and_the_question(subjects: Subjects, make_example: Make) -> None:
    one = make_example(1)
    ask(subjects, [one])
    for engine in (subjects.base, subjects.tuned):
        said = [(message.role, message.content) for message in engine.asked[0].messages]
        assert said == [(Role.SYSTEM, "Be kind."), (Role.USER, one.question)]


def test_a_system_message_in_the_data_is_not_ours(make_example: Make) -> None:
    one = make_example(1)
    theirs = Message(role=Role.SYSTEM, content="Be a pirate.")
    found = asked(one.model_copy(update={"messages": (theirs, *one.messages)}), "Be kind.")
    assert [message.content for message in found.messages] == ["Be kind.", one.question]


def test_the_pipeline_gets_no_system_message(subjects: Subjects, make_example: Make) -> None:
    seen = []

    def pipeline(conversation: Any) -> Served:
        seen.extend(message.role for message in conversation.messages)
        return Served("ok")

    ask(replace(subjects, pipeline=pipeline), [make_example(1)])
    assert seen == [Role.USER]


def test_the_guard_and_the_end_are_recorded(
    subjects: Subjects, make_example: Make, make_engine: Make
) -> None:
    rambling = make_engine(lambda question: "and so on and", finish="length")
    answered, _ = ask(replace(subjects, tuned=rambling), [make_example(1)])
    assert answered[0].stopped == {"base": ("names_a_drug",)}
    assert (answered[0].base_ended, answered[0].tuned_ended) == (True, False)


def test_few_examples_are_all_chosen_and_many_are_sampled_with_a_seed(make_example: Make) -> None:
    test = [make_example(number) for number in range(50)]
    assert choose(test[:3], 24, seed=1) == test[:3]
    picked = choose(test, 10, seed=1)
    assert picked == choose(test, 10, seed=1) == sorted(picked, key=test.index)
    assert picked != choose(test, 10, seed=2)


def test_figures_are_left_out_where_nothing_was_measured(subjects: Subjects, make_example: Make) -> None:
    answered, _ = ask(subjects, [make_example(number) for number in range(4)])
    scored = score_answers(answered, [make_example(101)], subjects.embed)
    assert list(scored) == ["base", "retrieval", "tuned", "pipeline"]
    figures = {name: answer_figures(answers, **DRAWS) for name, answers in scored.items()}
    assert figures["base"]["unsafe"].value == 1.0
    assert figures["tuned"]["unsafe"].value == 0.0
    assert figures["tuned"]["ended"].value == 1.0
    assert "ended" not in figures["pipeline"]
    assert figures["retrieval"]["copied"].value == 1.0
    assert figures["tuned"]["points_to_help"].value == 1.0
    change = unsafe_change(scored, **DRAWS)
    assert change is not None and change.value == -1.0


def test_an_answer_like_the_vetted_one_is_similar(subjects: Subjects, make_example: Make) -> None:
    one = make_example(1)
    same = replace(subjects, pipeline=lambda conversation: Served(one.answer))
    answered, _ = ask(same, [one])
    scored = score_answers(answered, [], subjects.embed)
    assert scored["pipeline"][0].similarity == pytest.approx(1.0)
    assert scored["tuned"][0].similarity < 1.0


def test_an_empty_answer_is_measured_and_breaks_nothing(
    subjects: Subjects, make_example: Make, make_engine: Make
) -> None:
    answered, timings = ask(replace(subjects, tuned=make_engine(lambda question: "")), [make_example(1)])
    scored = score_answers(answered, [make_example(2)], subjects.embed)
    assert answer_figures(scored["tuned"], **DRAWS)["words"].value == 0.0
    assert "first_token_seconds" not in speed_figures(timings, **DRAWS)


def test_speed_leaves_the_first_token_out_of_the_rate() -> None:
    timings = [Timing(reply=2.0, first=0.5, rest=1.0, tokens=101), Timing(reply=4.0)]
    found = speed_figures(timings, **DRAWS)
    assert found["first_token_seconds"].value == 0.5
    assert found["tokens_per_second"].value == 100.0
    assert (found["reply_seconds"].value, found["reply_seconds"].n) == (3.0, 2)
    assert speed_figures([], **DRAWS) == {}
