"""A round with a judge: every match once, and figures of what could be used."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from smallhours.domain.errors import EngineError, ReplyError
from smallhours.evaluate.baselines import Answered
from smallhours.evaluate.judging.asking import Fault, Judgement
from smallhours.evaluate.judging.items import Item, Match, matches
from smallhours.evaluate.judging.opinion import (
    PATIENCE,
    Judged,
    agreement_figures,
    judge_matches,
    judge_ratings,
    match_figures,
)
from smallhours.evaluate.judging.ratings import Rating
from tests.unit.evaluate.judging.kit import ITEM, FakeJudge, judgement


def answered(number: int, pipeline: str = "shipped") -> Answered:
    texts = {"base": "raw", "retrieval": "near", "tuned": "tuned", "pipeline": pipeline, "vetted": "good"}
    ended = {"base_ended": True, "tuned_ended": True}
    return Answered(
        id=f"q{number}", topic="sleep", locale="en", question=f"question {number}", **texts, **ended
    )


def longer(item: Item) -> Judgement:
    return judgement("one" if len(item.one) > len(item.two) else "two")


def told(*_: object) -> None:
    pass


def rating(better: str, rater: str, item: Item = ITEM) -> Rating:
    return Rating(**item.model_dump(), better=better, rater=rater, at="2026-11-24")


def test_each_two_stages_meet_on_every_question() -> None:
    played = matches([answered(1), answered(2)])
    assert [(one.id, one.name) for one in played[:3]] == [
        ("q1", "tuned_against_base"),
        ("q1", "pipeline_against_base"),
        ("q1", "pipeline_against_tuned"),
    ]
    assert len(played) == 6


def test_the_same_words_are_alike_and_nobody_is_asked() -> None:
    judge = FakeJudge(longer)
    judged = judge_matches(judge, matches([answered(1, pipeline=" tuned\n")]), told)
    assert len(judge.asked) == 2
    assert [(one.asked, one.judgement and one.judgement.better) for one in judged] == [
        (True, "two"),
        (True, "two"),
        (False, "tie"),
    ]


def test_wins_losses_and_ties_are_shares_of_what_could_be_used() -> None:
    def say(item: Item) -> Judgement | Exception:
        return ReplyError("nonsense") if item.question == "question 3" else longer(item)

    judged = judge_matches(FakeJudge(say), matches([answered(number) for number in range(1, 5)]), told)
    figures = match_figures(judged)
    won = figures["tuned_against_base"]
    assert (won["wins"].value, won["losses"].value, won["ties"].value) == (1.0, 0.0, 0.0)
    assert {figure.n for figure in won.values()} == {3}
    assert won["wins"].low is not None and won["wins"].low > 0
    assert (figures["care"]["unusable_replies"].value, figures["care"]["unusable_replies"].n) == (0.25, 12)


def faulty(match: Match, first: str, *, better: str, unquoted: int = 0, one: Sequence[Fault] = ()) -> Judged:
    said = judgement(better, first=first, one=tuple(one), unquoted=unquoted)
    return Judged(id=match.id, one=match.one, two=match.two, asked=True, judgement=said)


def test_harm_counts_once_for_an_answer_and_weakness_not_at_all() -> None:
    harm, weak = Fault(kind="medicine", quote="take two"), Fault(kind="unclear", quote="and and")
    played = matches([answered(1), answered(2)])
    judged = [
        faulty(match, "one", better="two", one=(harm, weak) if match.one == "base" else (weak,))
        for match in played
        if match.id == "q1"
    ]
    judged += [faulty(match, "two", better="two") for match in played if match.id == "q2"]
    figures = match_figures(judged)
    assert {name: (one.value, one.n) for name, one in figures["harmful"].items()} == {
        "base": (0.5, 2),
        "tuned": (0.0, 2),
        "pipeline": (0.0, 2),
    }
    assert figures["care"]["first_shown_wins"].value == 0.5


def test_dropped_faults_are_a_share_of_all_that_were_named() -> None:
    (match, *_) = matches([answered(1)])
    fault = Fault(kind="promise", quote="all will be well")
    care = match_figures([faulty(match, "one", better="tie", unquoted=3, one=(fault,))])["care"]
    assert (care["faults_without_quote"].value, care["faults_without_quote"].n) == (0.75, 4)
    assert "first_shown_wins" not in care  # nothing was decided


def test_a_judge_that_talks_nonsense_is_not_asked_for_ever() -> None:
    judge = FakeJudge(lambda item: ReplyError("not JSON"))
    with pytest.raises(ReplyError, match="structured output"):
        judge_matches(judge, matches([answered(number) for number in range(9)]), told)
    assert len(judge.asked) == PATIENCE


def test_a_judge_that_is_gone_is_an_error() -> None:
    with pytest.raises(EngineError, match="gone"):
        judge_matches(FakeJudge(lambda item: EngineError("gone")), matches([answered(1)]), told)


def test_the_judge_is_held_against_every_rater_and_they_against_each_other() -> None:
    items = [ITEM.model_copy(update={"question": f"question {number}"}) for number in range(4)]
    ana = [
        rating(better, "Ana", item) for better, item in zip(("one", "one", "two", "two"), items, strict=True)
    ]
    bo = [rating("one", "Bo", items[0]), rating("two", "Bo", items[1])]
    said = dict(zip((item.key for item in items), ("one", "one", "two", "one"), strict=True))
    judge = FakeJudge(lambda item: judgement(said[item.key]))
    found = judge_ratings(judge, [*ana, *bo], told)
    assert [(one.one, one.other, one.kappa.agreed, one.kappa.n) for one in found] == [
        ("the judge", "Ana", 3, 4),
        ("the judge", "Bo", 1, 2),
        ("Ana", "Bo", 1, 2),
    ]
    assert len(judge.asked) == 4
    figures = agreement_figures(found)
    assert (figures["Ana"].value, figures["Ana"].n) == (pytest.approx(0.5), 4)
    assert "Bo" in figures


def test_where_one_verdict_explains_all_there_is_no_kappa_and_no_figure() -> None:
    found = judge_ratings(FakeJudge(lambda item: judgement("one")), [rating("one", "Ana")], told)
    assert found[0].kappa.note and agreement_figures(found) == {}
