"""Files are read whole or refused with every fault named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smallhours.corpus.sources import builtin_pairs, hash_pairs, read_pairs
from smallhours.domain.errors import DataError
from smallhours.domain.records import Example, ReviewState


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def texts(examples: list[Example]) -> list[tuple[str, str]]:
    return [(example.question, example.answer) for example in examples]


# What people bring: file name, content, and the pairs in it.
GOOD = [
    ("p.csv", "question,answer\nq1,a1\nq2,a2\n", [("q1", "a1"), ("q2", "a2")]),
    ("p.CSV", "\ufeffQuestion,ANSWER\r\nq1,a1\r\n", [("q1", "a1")]),
    ("p.csv", "prompt,completion\nq1,a1\n", [("q1", "a1")]),
    ("p.csv", "q;a\nq, with comma;a1\n", [("q, with comma", "a1")]),
    ("p.csv", 'answer,notes,question\n"a, ""so""\nand on",mine,q1\n', [("q1", 'a, "so"\nand on')]),
    ("p.csv", "question,answer,,\nq1,a1,,\n,,,\n", [("q1", "a1")]),
    ("p.tsv", "input\toutput\nq, 1\ta1\n", [("q, 1", "a1")]),
    (
        "p.jsonl",
        '{"instruction": "q1", "response": "a1"}\n\n{"q": " q2 ", "a": "a2"}',
        [("q1", "a1"), ("q2", "a2")],
    ),
    ("p.csv", "Vetted pairs,\n\nQuestion,Answer\nq1,a1\n", [("q1", "a1")]),
    ("p.json", '{"version": 2, "data": {"train": [{"q": "q1", "a": "a1"}]}}', [("q1", "a1")]),
    (
        "p.json",
        '[{"messages": [{"role": "user", "content": [{"type": "text", "text": "q1"}, {"text": "q2"}]}, '
        '{"role": "assistant", "content": "a1"}]}]',
        [("q1\nq2", "a1")],
    ),
    ("p.ndjson", '{"prompt": "über", "completion": "ja\u2028so"}\r\n', [("über", "ja\u2028so")]),
    (
        "p.jsonl",
        '{"messages": [{"role": "user", "content": "q1"}, {"role": "assistant", "content": "a1"}]}',
        [("q1", "a1")],
    ),
]


@pytest.mark.parametrize(("name", "content", "expected"), GOOD)
def test_common_formats_are_read(
    tmp_path: Path, name: str, content: str, expected: list[tuple[str, str]]
) -> None:
    assert texts(read_pairs(write(tmp_path, name, content))) == expected


def test_optional_columns_are_kept(tmp_path: Path) -> None:
    content = "ID,question,answer,topic,locale,source,author,license\nx1,q,a,sleep,en-GB,clinic,Dr. A,MIT\n"
    (example,) = read_pairs(write(tmp_path, "p.csv", content))
    assert (example.id, example.topic, example.locale) == ("x1", "sleep", "en-GB")
    assert (example.source, example.author, example.licence) == ("clinic", "Dr. A", "MIT")


def test_ids_come_from_the_file_and_the_row_a_spreadsheet_shows(tmp_path: Path) -> None:
    path = write(tmp_path, "mine.csv", 'question,answer\n"q\non two lines",a\n\nq2,a2\n')
    assert [example.id for example in read_pairs(path)] == ["mine-0002", "mine-0004"]


def test_a_full_record_keeps_all_its_fields(tmp_path: Path) -> None:
    example = builtin_pairs()[0].model_copy(update={"review": ReviewState.APPROVED, "group": "g1"})
    assert read_pairs(write(tmp_path, "p.jsonl", example.model_dump_json())) == [example]


# What goes wrong: file name, content, and what the error must say, each part in one line of it.
BAD = [
    ("p.csv", "", ["p.csv: is empty"]),
    ("p.csv", " \n\n", ["p.csv: is empty"]),
    ("p.csv", "question,answer\n", ["p.csv: has a header and no pairs"]),
    ("p.docx", "PK", ["files of kind '.docx' are not read; save it as one of .jsonl, .ndjson, .json, .csv"]),
    ("p.xlsx", "PK", ["p.xlsx: not an Excel workbook of kind .xlsx"]),
    ("p.parquet", "PAR", ["p.parquet: not a Parquet file"]),
    (
        "p.csv",
        b"question,answer\nq1,caf\xc3\xa9\nq2,na\xc3\xafve caf\xe9\n",
        ["p.csv line 3 (byte 38): not UTF-8 text (found 0xE9); save it as UTF-8"],
    ),
    ("p.csv", b"question,answer\nq1,caf\x81\n", ["p.csv line 2 (byte 22): not UTF-8 text (found 0x81)"]),
    ("p.csv", b"\xef\xbb\xbfquestion,answer\nq\xff", ["line 2 (byte 20)"]),
    ("p.csv", "question,answer\nq,a\n".encode("utf-16-le"), ["not UTF-8 text (found 0x00)"]),
    (
        "p.csv",
        "galdera,erantzuna\nq,a\n",
        [
            "row 1: there is no column 'question' and no column 'answer'; columns found: 'galdera', "
            "'erantzuna'. Say which ones they are with --set corpus.columns='question=NAME,answer=NAME'"
        ],
    ),
    ("p.csv", "question,anwser\nq,a\n", ["row 1: unknown column 'anwser'; did you mean 'answer'?"]),
    ("p.csv", "question,prompt,answer\nq,p,a\n", ["columns 'question' and 'prompt' both name the question"]),
    (
        "p.csv",
        "question,answer\nq1,a1\nq2,\n",
        ["p.csv row 3: answer is empty; every pair needs one (column 'answer')"],
    ),
    (
        "p.csv",
        "Prompt,Reply\n ,a1\n",
        ["p.csv row 2: question is empty; every pair needs one (column 'Prompt')"],
    ),
    ("p.csv", "question,answer\nq1\n", ["row 2: answer is empty"]),
    (
        "p.csv",
        "question,answer\nq1,well, no\n",
        ["row 2: has 3 values and the header names 2 columns; put quotation"],
    ),
    ("p.csv", 'question,answer\nq1,a1\nq2,"never closed\n', ["p.csv row 3: malformed CSV from line 3 on"]),
    ("p.csv", 'question,answer\nq1,"a" b\n', ["row 2: malformed CSV", 'written twice ("")']),
    (
        "p.csv",
        "id,question,answer\nx,q1,a1\nx,q2,a2\n",
        ["row 3: id 'x' is taken by row 2; every id must be unique"],
    ),
    ("p.csv", "id,question,answer\nx~1,q1,a1\n", ["row 2: id 'x~1' has a '~'"]),
    (
        "p.csv",
        "question,answer,locale\nq1,a1,english\n",
        ["row 2: locale 'english' is not a language tag such as 'en'"],
    ),
    ("p.jsonl", '{"q": "q1", "a": "a1"}\n{"q": \n', ["p.jsonl line 2: not valid JSON at column"]),
    ("p.jsonl", '["q1", "a1"]', ["line 1: holds a list; every line must be an object"]),
    ("p.jsonl", "[" * 100_000, ["line 1: not valid JSON"]),
    (
        "p.jsonl",
        '{"q": 5, "a": "a1"}',
        ["line 1: question must be text, not 5; write it out in words (column 'q')"],
    ),
    ("p.jsonl", '{"q": "q1", "a": null}', ["line 1: answer is empty"]),
    (
        "p.jsonl",
        '{"text": "q1"}',
        ["there is no column 'question' and no column 'answer'; columns found: 'text'"],
    ),
    ("p.jsonl", '{"messages": []}', ["line 1: messages"]),
    ("p.jsonl", '{"messages": "hi"}', ["line 1: messages = 'hi'"]),
    (
        "p.jsonl",
        '{"messages": [{"role": "tool", "content": "q"}, {"role": "assistant", "content": "a"}]}',
        ["line 1: messages.0 is the call of a tool, or what one gave back; no model here has tools"],
    ),
    (
        "p.jsonl",
        '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": null, '
        '"tool_calls": [{"id": "1"}]}]}',
        ["line 1: messages.1 is the call of a tool"],
    ),
    (
        "p.jsonl",
        '{"messages": [{"role": "narrator", "content": "q"}, {"role": "assistant", "content": "a"}]}',
        ["line 1: messages.0.role = 'narrator'"],
    ),
    (
        "p.jsonl",
        '{"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "q"}]}',
        ["line 1: messages: no answer (role 'assistant') follows a question (role 'user')"],
    ),
    (
        "p.jsonl",
        '{"messages": [{"role": "user", "content": " "}, {"role": "assistant", "content": "a"}]}',
        ["line 1: messages.0.content is empty"],
    ),
    (
        "p.jsonl",
        '{"topci": 1, "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}',
        ["line 1: unknown field 'topci'; did you mean 'topic'?"],
    ),
    ("p.csv.gz", b"\x1f\x8b", ["p.csv.gz: is compressed; unpack it and name the file of pairs in it"]),
    (
        "p.csv",
        "i have not slept well for many nights now,Rest.\n",
        ["if this row is a pair already, put a row"],
    ),
    ("p.csv", f"question,{'x' * 99}\nq,a\n", [f"'{'x' * 59}…'"]),
    (
        "p.json",
        '{"data": {"train": [{"q": "q1", "a": "a1"}], "test": [{"q": "q1", "a": "a1"}]}}',
        ["p.json: holds several lists of objects ('data.train', 'data.test'); save the one with the pairs"],
    ),
    (
        "p.jsonl",
        '{"messages": [{"role": "user", "content": [{"type": "image", "url": "x"}]}]}',
        ["line 1: messages.0.content = [{'type': 'image'"],
    ),
    ("p.jsonl", '{"q": "\\ud800", "a": "a1"}', ["line 1: holds half a character"]),
]


@pytest.mark.parametrize(("name", "content", "parts"), BAD)
def test_faults_are_named_with_place_rule_and_remedy(
    tmp_path: Path, name: str, content: str | bytes, parts: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        read_pairs(write(tmp_path, name, content))
    for part in parts:
        assert any(part in problem for problem in caught.value.problems), caught.value.problems
    assert all(problem.startswith(name) for problem in caught.value.problems)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    content = "id,question,answer\na,q1,a1\na,q2,a2\n,q3,\n,,a4\n,q5,a5,x\n"
    with pytest.raises(DataError) as caught:
        read_pairs(write(tmp_path, "p.csv", content))
    assert sorted(problem.split(":")[0] for problem in caught.value.problems) == [
        "p.csv row 3",
        "p.csv row 4",
        "p.csv row 5",
        "p.csv row 6",
    ]


@pytest.mark.parametrize(
    ("faulty", "shown"),
    [(['{"q": "q", "a": ""}'] * 50, 3), ([f'{{"q": {n}, "a": "a"}}' for n in range(50)], 20)],
)
def test_only_twenty_faults_are_shown_and_three_of_a_kind(
    tmp_path: Path, faulty: list[str], shown: int
) -> None:
    with pytest.raises(DataError) as caught:
        read_pairs(write(tmp_path, "p.jsonl", "\n".join(faulty)))
    assert len(caught.value.problems) == shown + 1
    assert caught.value.problems[-1] == f"p.jsonl: and {50 - shown} more"


def test_missing_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: no such file"):
        read_pairs(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_pairs(tmp_path)


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    one = hash_pairs(write(tmp_path, "one.csv", "question,answer\nq,a\n"))
    assert one == hash_pairs(write(tmp_path, "two.csv", "question,answer\nq,a\n"))
    assert one != hash_pairs(write(tmp_path, "one.csv", "question,answer\nq,b\n"))
    assert hash_pairs(None) == hash_pairs(None) != one


def test_many_rows_are_quick(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"q": f"question {n}", "a": f"answer {n}"}) + "\n" for n in range(5000))
    assert len(read_pairs(write(tmp_path, "p.jsonl", lines))) == 5000
