"""``smallhours corpus check``: what a person with a file of pairs sees, and what ``--fix`` writes."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from smallhours.bootstrap import safety
from smallhours.cli.main import run
from smallhours.corpus.sources import read_pairs
from smallhours.domain.messages import Conversation
from smallhours.domain.risk import Action, Decision, RiskLevel

FINE = "That sounds like a long week, and it makes sense that the evenings feel heavy. Write one thing down."
SOUND = [(f"how do I rest on day {number}?", f"{FINE} Then it is day {number}.") for number in range(3)]
DAMAGED = [
    ("my name is Maria, mail a.b@example.org", f"{FINE} Rest, Maria."),
    ("Je nâ€™arrive pas Ã  dormir", f"{FINE} So."),
    ("=1+1 &amp; more<br>", f"{FINE} Sums."),
    ("why am i sad", "ok"),
    ("how much of it?", f"{FINE} Take two tablets."),
    ("it is unbearable", f"{FINE} Wait."),
    ("how do I rest on day 0", f"{FINE} Then it is day 0."),
]


class OneWord:
    """A safety path that knows one word."""

    def screen_input(self, conversation: Conversation) -> Decision:
        level = RiskLevel.HIGH if "unbearable" in conversation.last_user_text else RiskLevel.NONE
        return Decision(level=level, action=Action.ANSWER, score=0, language="en", policy="test")

    def screen_many(self, conversations: Iterable[Conversation]) -> Iterator[Decision]:
        return map(self.screen_input, conversations)


@pytest.fixture(autouse=True)
def one_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(safety, "safety_pipeline", OneWord)
    monkeypatch.chdir(tmp_path)


def pairs_file(*pairs: tuple[str, str], name: str = "pairs.jsonl") -> Path:
    path = Path(name)
    path.write_text("".join(json.dumps({"q": q, "a": a}) + "\n" for q, a in pairs), encoding="utf-8")
    return path


def test_first_what_was_understood_then_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    pairs_file(*SOUND, *DAMAGED)
    assert run(["corpus", "check", "pairs.jsonl"]) == 2
    shown = capsys.readouterr().out.splitlines()
    assert shown[:3] == ["pairs.jsonl: JSON Lines, pairs", "  question   'q'", "  answer     'a'"]
    assert any(line.startswith("10 pairs; answers of ") for line in shown)
    assert "pairs.jsonl line 7: answer is a single word; write at least a sentence (error)" in shown
    assert any(line.startswith("pairs.jsonl line 9: question is a crisis (level high)") for line in shown)
    assert "2 errors: near-empty text 1, question in a crisis 1" in shown
    assert any(line.startswith("looked for crises: 10 questions") for line in shown)


def test_warnings_alone_do_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    pairs_file(*SOUND, DAMAGED[0])
    assert run(["corpus", "check", "pairs.jsonl"]) == 0
    assert "0 errors\n3 warnings: personal data 3\n" in capsys.readouterr().out


def test_without_the_screen_nobody_looks_for_crises(capsys: pytest.CaptureFixture[str]) -> None:
    pairs_file(*SOUND, DAMAGED[5])
    assert run(["corpus", "check", "pairs.jsonl", "--no-screen"]) == 0
    assert "crisis" not in capsys.readouterr().out


def test_a_few_problems_of_a_kind_are_shown_and_all_are_in_the_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pairs_file(*((f"q{number}", "ok") for number in range(30)))
    for ending in ("csv", "jsonl"):
        assert run(["corpus", "check", "pairs.jsonl", "--report", f"report.{ending}"]) == 2
    shown = capsys.readouterr().out.splitlines()
    assert sum("single word" in line for line in shown) == 2 * 3
    assert "and 27 more; all are in report.csv" in shown
    rows = list(csv.DictReader(Path("report.csv").read_text("utf-8-sig").splitlines()))
    assert rows == [json.loads(line) for line in Path("report.jsonl").read_text().splitlines()]
    assert len(rows) == 30 and rows[-1]["place"] == "pairs.jsonl line 30"
    assert (rows[0]["what"], rows[0]["rule"], rows[0]["field"]) == ("error", "near-empty text", "answer")


def test_a_copy_that_lacks_the_end_of_the_file_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.csv").write_text(f'question,answer\nq0,"{FINE}"\nq1,"cut"off\nq2,"{FINE}"\n')
    assert run(["corpus", "check", "p.csv", "--no-screen", "--fix", "fixed.csv"]) == 2
    told = capsys.readouterr().out
    assert "wrote fixed.csv: 1 of 2 rows" in told
    assert "missing: every row after p.csv row 3, where the file could be read no further" in told


def test_for_programs_there_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    pairs_file(*SOUND, *DAMAGED)
    assert run(["corpus", "check", "pairs.jsonl", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["understood"][0]["columns"] == {"question": ["q"], "answer": ["a"]}
    assert (found["pairs"], found["unreadable"], found["fixed"]) == (10, 0, None)
    assert found["errors"] == {"near-empty text": 1, "question in a crisis": 1}
    assert found["problems"][0]["place"] == "pairs.jsonl line 4"
    assert "Maria" not in json.dumps(found)


@pytest.mark.parametrize("ending", ["jsonl", "csv", "tsv", "parquet", "xlsx"])
def test_fix_writes_a_file_that_is_clean_and_leaves_the_original(
    ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = pairs_file(*SOUND, *DAMAGED)
    before = source.read_bytes()
    target = Path(f"fixed.{ending}")
    assert run(["corpus", "check", "pairs.jsonl", "--fix", str(target)]) == 0
    shown = capsys.readouterr().out
    assert f"wrote {target}: 6 of 10 rows" in shown
    assert "repaired: personal data masked 2, encoding repaired 1, HTML removed 1" in shown
    assert "left out: near-empty text 1, answer doses 1, question in a crisis 1, repeated pair 1" in shown
    assert [(example.question, example.answer) for example in read_pairs(target)] == [
        *SOUND,
        ("my name is [name], mail [email]", f"{FINE} Rest, [name]."),
        ("Je n’arrive pas à dormir", f"{FINE} So."),
        ("=1+1 & more", f"{FINE} Sums."),
    ]
    assert source.read_bytes() == before
    assert sorted(path.name for path in Path.cwd().iterdir()) == [target.name, "pairs.jsonl"]
    assert run(["corpus", "check", str(target)]) == 0
    assert "0 errors\n0 warnings" in capsys.readouterr().out


def test_the_report_names_the_rows_and_what_became_of_them() -> None:
    pairs_file(*SOUND, *DAMAGED)
    assert run(["corpus", "check", "pairs.jsonl", "--fix", "fixed.jsonl", "--report", "report.csv"]) == 0
    rows = list(csv.DictReader(Path("report.csv").read_text("utf-8-sig").splitlines()))
    done = [(row["place"], row["what"], row["rule"], row["text"]) for row in rows]
    assert ("pairs.jsonl line 4", "repaired", "personal data masked", "email 1, name 1") in done
    assert ("pairs.jsonl line 9", "left out", "question in a crisis", "is a crisis (level high)") in done
    assert not any("Maria" in value for row in rows for value in row.values())


def link(name: str) -> str:
    Path(name).symlink_to("pairs.jsonl")
    return name


def hard_link(name: str) -> str:
    os.link("pairs.jsonl", name)
    return name


@pytest.mark.parametrize("flag", ["--fix", "--report"])
@pytest.mark.parametrize(
    "target",
    [
        lambda: "pairs.jsonl",
        lambda: "./pairs.jsonl",
        lambda: str(Path("pairs.jsonl").absolute()),
        lambda: link("other.jsonl"),
        lambda: hard_link("other.jsonl"),
    ],
    ids=["name", "dotted", "absolute", "symbolic link", "hard link"],
)
def test_the_original_is_refused_by_any_name(flag: str, target, capsys: pytest.CaptureFixture[str]) -> None:
    source = pairs_file(*SOUND)
    before = source.read_bytes()
    assert run(["corpus", "check", "pairs.jsonl", flag, target()]) == 2
    assert "is the file to check, which is never written to" in capsys.readouterr().err
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--fix", "fixed.docx"], "files of kind '.docx' are not written; choose .jsonl"),
        (["--report", "report.xlsx"], "files of kind '.xlsx' are not written; choose .csv, .jsonl"),
        (["--fix", "nowhere/fixed.csv"], "the folder nowhere does not exist"),
        (["--fix", "folder.csv"], "folder.csv: is a folder"),
        (["--fix", "one.csv", "--report", "one.csv"], "is the file for --fix, too"),
    ],
)
def test_outputs_that_cannot_be_are_refused_before_any_work(
    arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs_file(*SOUND)
    Path("folder.csv").mkdir()
    assert run(["corpus", "check", "pairs.jsonl", *arguments]) == 2
    captured = capsys.readouterr()
    assert part in captured.err and captured.out == ""


def test_nothing_half_written_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["hello", FINE, "and then?", FINE]
    turns = [
        {"role": role, "content": text} for role, text in zip(("user", "assistant") * 2, texts, strict=True)
    ]
    Path("talks.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    assert run(["corpus", "check", "talks.jsonl", "--fix", "fixed.csv", "--report", "report.csv"]) == 2
    assert "line 1: is more than a question and an answer, which .csv cannot hold" in capsys.readouterr().err
    assert [path.name for path in Path.cwd().iterdir()] == ["talks.jsonl"]


def test_a_file_without_a_usable_pair_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    pairs_file(("q", "ok"))
    assert run(["corpus", "check", "pairs.jsonl", "--fix", "fixed.jsonl"]) == 2
    assert "no pair can be used as it is, so fixed.jsonl was not written" in capsys.readouterr().err
    assert not Path("fixed.jsonl").exists()


def test_a_row_that_cannot_be_read_is_named_and_the_rest_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    path = pairs_file(*SOUND)
    path.write_text(path.read_text() + "{broken\n" + json.dumps({"q": "", "a": "x"}) + "\n")
    assert run(["corpus", "check", "pairs.jsonl"]) == 2
    shown = capsys.readouterr().out
    assert "pairs.jsonl line 4: not valid JSON" in shown
    assert "pairs.jsonl line 5: question is empty" in shown
    assert "3 pairs; 2 unreadable" in shown


def test_columns_can_be_named_where_they_are_not_understood(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.csv").write_text(f"galdera,erantzuna\nq0,{FINE.replace(',', '')}\n")
    assert run(["corpus", "check", "p.csv"]) == 2
    assert (
        "there is no column 'question' and no column 'answer'; columns found: 'galdera', "
        in capsys.readouterr().out
    )
    named = ["--set", "corpus.columns=question=galdera,answer=erantzuna"]
    assert run(["corpus", "check", "p.csv", *named]) == 0


def test_progress_is_said_while_it_takes_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smallhours.cli.console.PLAIN_INTERVAL", 0.0)
    pairs_file(*SOUND)
    assert run(["corpus", "check", "pairs.jsonl"]) == 0
    assert "checked 2 rows, " in capsys.readouterr().err
