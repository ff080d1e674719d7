"""The file of ratings: added to, never changed, and read strictly."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from smallhours.domain.errors import DataError
from smallhours.evaluate.judging.ratings import (
    BUILT_IN,
    Rating,
    agreements,
    append_rating,
    by_rater,
    items_of,
    read_ratings,
    waiting,
)
from tests.unit.evaluate.judging.kit import ITEM

OTHER_ITEM = ITEM.model_copy(update={"question": "im so tired"})


def rating(better: str = "one", rater: str = "Ana", question: str = ITEM.question) -> Rating:
    fields = {**ITEM.model_dump(), "question": question}
    return Rating(**fields, better=better, rater=rater, at="2026-11-24")


def test_the_projects_own_ratings_say_who_made_them_and_favour_no_place() -> None:
    ratings = read_ratings(BUILT_IN)
    assert len(ratings) == len(items_of(ratings)) == 40
    assert {one.rater for one in ratings} == {"non-clinical, project author"}
    assert all(one.why and one.item.differs for one in ratings)
    better = Counter(one.better for one in ratings)
    assert min(better["one"], better["two"]) >= 15 and better["tie"] >= 5


def test_what_is_appended_is_read_back_and_the_lines_before_stay(tmp_path: Path) -> None:
    path = tmp_path / "mine" / "ratings.jsonl"
    append_rating(path, rating())
    before = path.read_bytes()
    append_rating(path, rating("two", rater="Bö"))
    assert path.read_bytes().startswith(before)
    assert [(one.better, one.rater) for one in read_ratings(path)] == [("one", "Ana"), ("two", "Bö")]


def test_a_line_that_was_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    path.write_text(rating().model_dump_json()[:40])
    append_rating(path, rating("two"))
    with pytest.raises(DataError, match=r"line 1: .*delete it") as caught:
        read_ratings(path)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"better": "three"}, "better: "),
        ({"rater": " "}, "rater: "),
        ({"mood": "good"}, "mood: "),
        ({"at": "yesterday"}, "at: "),
    ],
)
def test_bad_lines_are_named_with_field_and_remedy(tmp_path: Path, change: dict[str, str], says: str) -> None:
    path = tmp_path / "ratings.jsonl"
    good = rating().model_dump(mode="json")
    path.write_text(f"{json.dumps(good)}\n\n{json.dumps({**good, **change})}\nnonsense\n")
    with pytest.raises(DataError) as caught:
        read_ratings(path)
    assert [problem.split(": ")[0] for problem in caught.value.problems] == [
        f"{path} line 3",
        f"{path} line 4",
    ]
    assert says in caught.value.problems[0]


def test_no_file_is_an_error_only_where_one_was_meant(tmp_path: Path) -> None:
    assert read_ratings(tmp_path / "none.jsonl", must_exist=False) == []
    with pytest.raises(DataError, match="cannot be read"):
        read_ratings(tmp_path / "none.jsonl")


def test_a_rater_goes_on_where_she_stopped() -> None:
    ratings = [rating(rater="ana  OSEI"), rating(rater="Bo", question=OTHER_ITEM.question)]
    assert waiting([ITEM, OTHER_ITEM], ratings, "Ana Osei") == [OTHER_ITEM]


def test_the_first_rating_of_each_counts_and_only_what_both_rated() -> None:
    ratings = [
        rating("one", "Ana"),
        rating("two", "ana"),
        rating("one", "Ana", OTHER_ITEM.question),
        rating("two", "Bo"),
    ]
    (found,) = agreements(by_rater(ratings))
    assert (found.one, found.other, found.kappa.n, found.kappa.agreed) == ("Ana", "Bo", 1, 0)
    assert agreements(by_rater([rating(rater="Ana")])) == []
