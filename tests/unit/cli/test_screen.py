"""``smallhours screen``: the JSON Lines contract."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from smallhours.cli.lines import process
from smallhours.cli.main import run
from smallhours.domain.messages import Conversation

KEYS = ["id", "level", "categories", "action", "score", "language", "findings", "policy"]


def screened(tmp_path: Path, *lines: str | bytes) -> tuple[int, list[dict]]:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in lines) + b"\n")
    code = run(["screen", "--in", str(source), "--out", str(target)])
    return code, [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


def test_one_line_out_per_line_in_in_order(tmp_path: Path) -> None:
    code, out = screened(
        tmp_path,
        '{"id": "a", "text": "i want to kill myself"}',
        '{"id": "b", "messages": [{"role": "user", "content": "how do i cook rice"}], "locale": "en-GB"}',
        "",
        '{"id": 3, "text": ""}',
    )
    assert code == 0
    assert [row["id"] for row in out] == ["a", "b", 3]
    assert all(list(row) == KEYS for row in out)
    assert out[0]["level"] in ("high", "imminent") and out[0]["categories"] == ["suicide"]
    assert out[0]["action"] == "crisis_reply" and 0 < out[0]["score"] <= 1
    assert out[1]["level"] == "none" and out[1]["action"] == "answer"
    start, end = out[0]["findings"][0]["span"]
    assert "kill myself" in "i want to kill myself"[start:end]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("{", "not JSON"),
        ("[]", "dictionary"),
        ('{"id": "x"}', "either 'text' or 'messages'"),
        ('{"id": "x", "text": "a", "messages": [{"role": "user", "content": "b"}]}', "either"),
        ('{"id": "x", "text": 5}', "text"),
        ('{"id": "x", "messages": []}', "messages"),
        ('{"id": "x", "messages": [{"role": "assistant", "content": "b"}]}', "role 'user'"),
        ('{"id": "x", "text": "a", "txet": "b"}', "txet"),
        (b'{"id": "x", "text": "\xff"}', "UTF-8"),
    ],
)
def test_a_bad_line_gets_an_error_in_its_place_and_the_rest_goes_on(
    tmp_path: Path, line: str | bytes, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = screened(tmp_path, line, '{"id": "next", "text": "hello"}')
    assert code == 2
    assert part in out[0]["error"]["message"] and out[0]["error"]["line"] == 1
    assert out[1]["id"] == "next" and out[1]["level"] == "none"
    assert "1 bad line" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["missing/out.jsonl", "out.jsonl"])
def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.jsonl"
    if target != "out.jsonl":
        source.write_text('{"id": "a", "text": "b"}\n')
    assert run(["screen", "--in", str(source), "--out", str(tmp_path / target)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
    assert not list(tmp_path.glob("*.partial"))


def test_many_lines_keep_their_order_and_bad_ones_their_place(tmp_path: Path) -> None:
    lines = ["{" if n % 100 == 7 else json.dumps({"id": n, "text": f"hello {n % 3}"}) for n in range(600)]
    code, out = screened(tmp_path, *lines)
    assert code == 2
    assert [row["error"]["line"] - 1 if "error" in row else row["id"] for row in out] == list(range(600))


def test_lines_that_cannot_be_worked_on_together_are_worked_on_one_by_one(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in ("fine", "bad", "good")))

    def work(conversations: Sequence[Conversation]) -> list[dict[str, str]]:
        if any(one.last_user_text == "bad" for one in conversations):
            raise ValueError("no")
        return [{"said": one.last_user_text} for one in conversations]

    assert process(source, target, work, together=8) == 1
    out = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row.get("said") or row["error"]["message"] for row in out] == ["fine", "no", "good"]
