"""A judge's opinion beside an evaluation: added whole, asked for once, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smallhours.domain.artifacts import hash_file, is_current, require_manifest
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import EngineError, ReplyError, RunError
from smallhours.evaluate.judging.asking import Fault
from smallhours.evaluate.judging.items import Item
from smallhours.evaluate.judging.ratings import BUILT_IN, read_ratings
from smallhours.evaluate.judging.run import judge_run
from smallhours.evaluate.run import evaluate_run
from tests.unit.evaluate.judging.kit import FakeJudge, judgement

ENDPOINT = Endpoint("http://127.0.0.1:9/v1", "<b>judge</b>")
HOSTILE = "sleeping pills?"


def say(item: Item) -> Any:
    """The untouched model's answer is always worse, and it names medicine."""
    bad = tuple(Fault(kind="medicine", quote=HOSTILE) for _ in range(HOSTILE in item.one))
    return judgement("two" if bad else "tie", one=bad, reason="<script>alert(1)</script>")


def judged(folder: Path, judge: FakeJudge, ratings: int = 3, seed: int = 1) -> Any:
    return judge_run(folder, judge, ENDPOINT, read_ratings(BUILT_IN)[:ratings], seed, lambda *_: None)


@pytest.fixture
def run(setup: Any) -> Path:
    evaluate_run(**setup.arguments)
    return Path(setup.arguments["folder"])


def test_the_report_says_not_measured_until_a_judge_is_asked(run: Path) -> None:
    page = (run / "evaluation" / "report.html").read_text()
    assert "Not measured. <code>smallhours judge</code>" in page
    assert "judge" not in json.loads((run / "evaluation" / "report.json").read_text())


def test_the_opinion_joins_the_evaluation_and_changes_no_figure_of_it(run: Path) -> None:
    folder = run / "evaluation"
    before = json.loads((folder / "report.json").read_text())
    manifest = require_manifest(folder, "")
    opinion = judged(run, FakeJudge(say))
    after = json.loads((folder / "report.json").read_text())
    assert after.pop("judge") == opinion.model_dump(mode="json")["figures"] and after == before
    assert opinion.figures["tuned_against_base"]["wins"].value == 1.0
    assert opinion.figures["harmful"]["base"].value == 1.0
    lines = [json.loads(line) for line in (folder / "judged.jsonl").read_text().splitlines()]
    assert len(lines) == 15 and lines[0]["judgement"]["one"][0]["quote"] == HOSTILE
    now = require_manifest(folder, "")
    assert now.files["report.html"] == hash_file(folder / "report.html")
    assert {"judge.json", "judged.jsonl"} <= set(now.files)
    assert now.model_copy(update={"files": manifest.files}) == manifest
    assert is_current(folder, manifest.fingerprint)


def test_the_page_shows_it_escaped_and_once(run: Path) -> None:
    for _ in range(2):
        judged(run, FakeJudge(say))
    page = (run / "evaluation" / "report.html").read_text()
    assert page.count('id="judge"') == 1 and "Not measured. <code>" not in page
    assert "&lt;b&gt;judge&lt;/b&gt; at 127.0.0.1" in page and "<b>judge" not in page
    assert "<script>" not in page
    assert ">Same verdict<" in page and " of 3<" in page and "Tuned model against untouched model" in page


def test_what_was_said_once_is_not_asked_again(run: Path) -> None:
    first, again, other = FakeJudge(say), FakeJudge(say), FakeJudge(say)
    assert judged(run, first) == judged(run, again)
    assert (len(first.asked), again.asked) == (15 + 3, [])
    judged(run, other, seed=2)
    assert len(other.asked) == len(first.asked)


def test_a_round_that_breaks_off_leaves_the_report_and_goes_on_later(run: Path) -> None:
    page = run / "evaluation" / "report.html"
    before = page.read_text()
    breaking = FakeJudge(lambda item: EngineError("gone") if len(breaking.asked) > 5 else say(item))
    with pytest.raises(EngineError):
        judged(run, breaking)
    assert page.read_text() == before
    later = FakeJudge(say)
    judged(run, later)
    assert len(later.asked) == 15 + 3 - 5


def test_unusable_replies_are_asked_for_again(run: Path) -> None:
    nonsense = FakeJudge(lambda item: ReplyError("no") if len(nonsense.asked) == 2 else say(item))
    assert judged(run, nonsense).figures["care"]["unusable_replies"].value == pytest.approx(1 / 15)
    later = FakeJudge(say)
    assert judged(run, later).figures["care"]["unusable_replies"].value == 0
    assert len(later.asked) == 1


def test_without_ratings_it_says_that_nobody_knows_what_it_is_worth(run: Path) -> None:
    judged(run, FakeJudge(say), ratings=0)
    assert "No agreement with people is known" in (run / "evaluation" / "report.html").read_text()


@pytest.mark.parametrize(
    ("file", "words", "says"),
    [("answers.jsonl", "{}\n", "damaged"), ("report.html", "<p>old</p>", "older version")],
)
def test_an_evaluation_that_cannot_take_it_is_refused(run: Path, file: str, words: str, says: str) -> None:
    (run / "evaluation" / file).write_text(words)
    judge = FakeJudge(say)
    with pytest.raises(RunError, match=says):
        judged(run, judge)
    assert judge.asked == []
    assert (run / "evaluation" / file).read_text() == words


def test_a_run_without_evaluation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="smallhours evaluate"):
        judged(tmp_path / "mine", FakeJudge(say))
