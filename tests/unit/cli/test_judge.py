"""``smallhours judge`` and ``smallhours rate``, over a real endpoint and at a real prompt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from smallhours.cli.main import main, run
from smallhours.domain.artifacts import staged_folder
from smallhours.evaluate.baselines import Answered
from smallhours.evaluate.judging.ratings import BUILT_IN, read_ratings
from smallhours.evaluate.report import JUDGE_BEGINS, JUDGE_ENDS
from tests.unit.fake_endpoint import FakeEndpoint, endpoint, says, sends

KIND, RUDE = "That sounds heavy. Sit down a moment.", "You have a disorder. Stop it."
AS_ANA = ("--rater", "Ana Osei, nurse")


def opinion(request: dict[str, Any]) -> str:
    """A judge that knows the rude answer, and quotes it."""
    shown = json.loads(request["messages"][-1]["content"])
    faults = [
        {"answer": side, "kind": "diagnosis", "quote": "You have a disorder."}
        for side in "AB"
        if "disorder" in shown[side]
    ]
    better = "neither" if len(faults) != 1 else "B" if faults[0]["answer"] == "A" else "A"
    return json.dumps({"faults": faults, "reason": "One is rude.", "better": better})


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """An evaluated run with two questions, as far as a judge needs it."""
    answers = [
        Answered(
            id=f"q{number}", topic="sleep", locale="en", question=f"i cant sleep, night {number}",
            vetted=KIND, base=RUDE, retrieval=KIND, tuned=KIND, pipeline=KIND,
            base_ended=True, tuned_ended=True,
        )
        for number in (1, 2)
    ]  # fmt: skip
    where = {"stage": "evaluate", "inputs": {}, "config": {}, "seed": 1, "figures": {}}
    with staged_folder(tmp_path / "mine" / "evaluation", **where) as folder:
        (folder / "answers.jsonl").write_text("".join(f"{one.model_dump_json()}\n" for one in answers))
        (folder / "report.json").write_text("{}")
        (folder / "report.html").write_text(f"<p>\n{JUDGE_BEGINS}none\n{JUDGE_ENDS}</p>")
    return tmp_path


@pytest.fixture
def fake() -> Iterator[FakeEndpoint]:
    with endpoint(says(opinion)) as served:
        yield served


def judge(runs: Path, *arguments: str) -> int:
    own = ("--ratings", str(runs / "ratings.jsonl"), "--set", f"runs={runs}")
    return run(["judge", "mine", *own, *arguments])


def test_the_judge_is_asked_for_structured_output_and_its_opinion_is_told(
    runs: Path, fake: FakeEndpoint, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-secret")
    assert judge(runs, "--url", fake.url, "--model", "m", "--key-variable", "JUDGE_KEY") == 0
    form = fake.requests[0]["response_format"]
    assert (form["type"], form["json_schema"]["strict"]) == ("json_schema", True)
    assert fake.headers[0]["authorization"] == "Bearer sk-secret"
    assert len(fake.requests) == 2 + 40  # what ships is the tuned model's: not asked twice
    told = capsys.readouterr().out
    assert "Tuned model against untouched model: better 100" in told
    assert "The judge and a rater: non-clinical, project author: " in told and "kappa" in told
    page = (runs / "mine" / "evaluation" / "report.html").read_text()
    assert "You have a disorder." in page and "sk-secret" not in page


def test_as_json_it_is_the_file(runs: Path, fake: FakeEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(runs, "--url", fake.url, "--model", "m", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((runs / "mine" / "evaluation" / "judge.json").read_text())
    assert printed["figures"]["harmful"]["base"]["value"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--url", "ftp://x", "--model", "m"), "--url: write it like"),
        (("--url", "http://127.0.0.1:9/v1", "--model", " "), "--model: name a model"),
        (("--url", "http://127.0.0.1:9/v1", "--model", "m", "--key-variable", "NONE"), "--key-variable: "),
    ],
)
def test_what_is_given_wrongly_is_named(
    runs: Path, arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(runs, *arguments) == 2
    assert says in capsys.readouterr().err


def test_an_endpoint_that_knows_no_schema_is_named_and_nothing_is_written(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with endpoint(sends(400)) as refusing:
        assert judge(runs, "--url", refusing.url, "--model", "m") == 3
    assert "m at 127.0.0.1: HTTP 400" in capsys.readouterr().err
    assert not (runs / "mine" / "evaluation" / "judge.json").exists()


def rate(path: Path, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["rate", "--ratings", str(path), *arguments], input=typed)


def test_a_rater_stops_and_goes_on_and_is_not_told_what_others_said(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    first = rate(path, *AS_ANA, typed="a\nkinder\nx\nn\n\nq\n")
    assert first.exit_code == 0 and "40 of 40 to rate" in first.output and "2 rated now" in first.output
    assert "project author" not in first.output
    found = read_ratings(path)
    assert [(one.why, one.rater) for one in found] == [("kinder", "Ana Osei, nurse"), ("", "Ana Osei, nurse")]
    assert found[0].better in ("one", "two") and found[1].better == "tie"
    again = rate(path, *AS_ANA, typed="s\nq\n")
    assert "38 of 40 to rate" in again.output and len(read_ratings(path)) == 2


def test_a_letter_means_the_answer_that_was_shown_under_it(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    typed = "".join("a\n\n" for _ in range(40))
    shown = rate(path, *AS_ANA, typed=typed).output.split("Somebody writes")[1:]
    items = read_ratings(BUILT_IN)
    for item, screen, rating in zip(items, shown, read_ratings(path), strict=True):
        chosen = item.one if rating.better == "one" else item.two
        above = " ".join(screen.partition("\nB\n")[0].split())
        assert " ".join(chosen.split()) in above
    assert {one.better for one in read_ratings(path)} == {"one", "two"}


def test_a_runs_own_answers_can_be_rated(runs: Path) -> None:
    path = runs / "ratings.jsonl"
    done = rate(path, "mine", *AS_ANA, "--set", f"runs={runs}", typed="n\n\n" * 2)
    assert "2 of 2 to rate" in done.output and "2 rated now" in done.output
    assert [one.question for one in read_ratings(path)] == ["i cant sleep, night 1", "i cant sleep, night 2"]


def test_agreement_is_printed_and_a_nameless_rater_is_asked_for_a_name(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    assert "--rater: say who you are" in rate(path).output
    rate(path, *AS_ANA, typed="a\n\n" * 10 + "q\n")
    told = rate(path, "--agreement").output
    assert told.startswith("non-clinical, project author and Ana Osei, nurse: ") and "n = 10" in told
