"""Strange files, and what is understood of them before anything is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smallhours.corpus.preview import Preview, Tally, preview
from smallhours.corpus.rows import Fault
from smallhours.corpus.shapes import Found
from smallhours.corpus.sources import Reading, examples_of, open_sources, read_pairs
from smallhours.domain.errors import DataError
from smallhours.domain.records import Example

Build = Callable[[Path], Path]
LONG = "It makes sense that you are tired after such a week. " * 25  # 275 words


def text(name: str, content: str, encoding: str = "utf-8") -> Build:
    def build(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content.encode(encoding))
        return path

    return build


def data(name: str, value: Any) -> Build:
    return text(name, json.dumps(value, ensure_ascii=False, indent=1))


def lines(name: str, *values: Any) -> Build:
    return text(name, "".join(f"{json.dumps(value)}\n" for value in values))


def workbook(sheets: dict[str, list[list[Any]]]) -> Build:
    def build(folder: Path) -> Path:
        import openpyxl

        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        book.save(folder / "p.xlsx")
        return folder / "p.xlsx"

    return build


def parquet(columns: dict[str, list[Any]]) -> Build:
    def build(folder: Path) -> Path:
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table(columns), folder / "p.parquet")
        return folder / "p.parquet"

    return build


ALPACA = [{"instruction": "You are kind.", "input": f"q{n}", "output": f"a{n}"} for n in range(3)]
SHAREGPT = {
    "conversations": [
        {"from": "human", "value": "q0"},
        {"from": "gpt", "value": "a0"},
        {"from": "human", "value": "so"},
    ]
}

# The file, what is said of it, what its columns mean, the columns left alone, and how many pairs there are.
STRANGE = {
    "Windows-1252 with semicolons": (
        text("p.csv", "Frage;Antwort;Thema;Notiz\r\nSchläfst du?;Nein – nie;Schlaf;x\r\n", "cp1252"),
        "CSV, separated by semicolons",
        {"question": ("Frage",), "answer": ("Antwort",), "topic": ("Thema",)},
        ("Notiz",),
        1,
    ),
    "UTF-16 with tabs": (
        text("p.csv", "question\tanswer\r\nq0\ta0\r\nq1\ta1\r\n", "utf-16"),
        "CSV, separated by tabs",
        {"question": ("question",), "answer": ("answer",)},
        (),
        2,
    ),
    "the separator in a line of its own": (
        text("p.csv", "sep=|\nquestion|answer\nq, 0|a; 0\n"),
        "CSV, separated by bars",
        {"question": ("question",), "answer": ("answer",)},
        (),
        1,
    ),
    "98 long answers": (
        text("p.csv", "question,answer\n" + "".join(f"q{n},{LONG}{n}\n" for n in range(98))),
        "CSV, separated by commas",
        {"question": ("question",), "answer": ("answer",)},
        (),
        98,
    ),
    "3,000 rows with several answers to a question": (
        lines(
            "p.jsonl",
            *(
                {"questionID": n // 3, "questionText": f"q{n // 3}", "answerText": f"a{n}", "upvotes": n}
                for n in range(3000)
            ),
        ),
        "JSON Lines",
        {"question": ("questionText",), "answer": ("answerText",)},
        ("questionID", "upvotes"),
        3000,
    ),
    "a list of answers in each row": (
        lines("p.jsonl", {"question": "q0", "answers": ["a0", "a1", {"text": "a2", "votes": 3}]}),
        "JSON Lines",
        {"question": ("question",), "answer": ("answers",)},
        (),
        3,
    ),
    "names that only end in ours": (
        text("p.csv", "User Question,Therapist Response,response time\nq0,a0,3\n"),
        "CSV, separated by commas",
        {"question": ("User Question",), "answer": ("Therapist Response",)},
        ("response time",),
        1,
    ),
    "a column name that comes twice": (
        text("p.csv", "question,answer,answer,Unnamed: 0\nq0,a0,other,1\n"),
        "CSV, separated by commas",
        {"question": ("question",), "answer": ("answer",)},
        ("answer 2", "Unnamed: 0"),
        1,
    ),
    "a top-level object": (
        data("p.json", {"version": 2, "data": [{"prompt": "q0", "completion": "a0"}]}),
        "JSON",
        {"question": ("prompt",), "answer": ("completion",)},
        (),
        1,
    ),
    "a table by columns, as pandas writes it": (
        data("p.json", {"question": {"0": "q0", "1": "q1"}, "answer": {"0": "a0", "1": "a1"}}),
        "JSON",
        {"question": ("question",), "answer": ("answer",)},
        (),
        2,
    ),
    "pairs named by their keys": (
        data("p.json", {"k1": {"q": "q0", "a": "a0"}, "k2": {"q": "q1", "a": "a1"}}),
        "JSON",
        {"id": ("id",), "question": ("q",), "answer": ("a",)},
        (),
        2,
    ),
    "JSON Lines that end in .json": (
        text("p.json", '{"q": "q0", "a": "a0"}\n{"q": "q1", "a": "a1"}\n'),
        "JSON Lines",
        {"question": ("q",), "answer": ("a",)},
        (),
        2,
    ),
    "a list that ends in .jsonl": (
        data("p.jsonl", [{"q": "q0", "a": "a0"}]),
        "JSON",
        {"question": ("q",), "answer": ("a",)},
        (),
        1,
    ),
    "Alpaca with one instruction for all": (
        data("p.json", ALPACA),
        "JSON",
        {"question": ("input",), "answer": ("output",)},
        (),
        3,
    ),
    "ShareGPT that ends on a human turn": (
        lines("p.jsonl", SHAREGPT),
        "JSON Lines",
        {"messages": ("conversations",)},
        (),
        1,
    ),
    "messages in a cell": (
        text(
            "p.csv",
            'messages\n"[{""role"": ""user"", ""content"": ""q0""}, '
            '{""role"": ""assistant"", ""content"": ""a0""}]"\n',
        ),
        "CSV, separated by commas",
        {"messages": ("messages",)},
        (),
        1,
    ),
    "Excel with notes on the first sheet": (
        workbook(
            {
                "Notes": [["written by us"]],
                "Pairs": [[], ["Question", "Answer", None], ["q0", "a0"], [None, None], ["q1", "a1"]],
            }
        ),
        "Excel, sheet 'Pairs'",
        {"question": ("Question",), "answer": ("Answer",)},
        (),
        2,
    ),
    "Parquet with nulls": (
        parquet(
            {"question": ["q0", "q1"], "answer": ["a0", None], "topic": [None, "sleep"], "id": [1.0, 2.0]}
        ),
        "Parquet",
        {"question": ("question",), "answer": ("answer",), "topic": ("topic",), "id": ("id",)},
        (),
        1,
    ),
}


@pytest.mark.parametrize("case", STRANGE)
def test_strange_files_are_understood(tmp_path: Path, case: str) -> None:
    build, kind, columns, ignored, pairs = STRANGE[case]
    (source,) = open_sources(build(tmp_path))
    shown = preview(source)
    assert (shown.kind, shown.columns, shown.ignored) == (kind, columns, ignored)
    assert shown.pairs[0][0].rstrip("?").endswith(("q0", "q, 0", "Schläfst du"))
    assert shown.pairs[0][1].startswith(("a0", "a; 0", "Nein – nie", "It makes sense"))
    assert sum(isinstance(item, Found) for item in examples_of([source])) == pairs


def shown(tmp_path: Path, build: Build, reading: Reading | None = None) -> Preview:
    (source,) = open_sources(build(tmp_path), reading)
    return preview(source)


@pytest.mark.parametrize(
    ("case", "part"),
    [
        ("Windows-1252 with semicolons", "p.csv: not UTF-8, so read as Windows-1252"),
        ("UTF-16 with tabs", "p.csv: read as UTF-16"),
        ("a top-level object", "the pairs are the list 'data'"),
        ("Alpaca with one instruction for all", "'instruction' is the same in every row, so it is left out"),
        (
            "Excel with notes on the first sheet",
            "read the sheet 'Pairs' and not 'Notes'; choose another with",
        ),
    ],
)
def test_what_was_decided_is_noted(tmp_path: Path, case: str, part: str) -> None:
    assert any(part in note for note in shown(tmp_path, STRANGE[case][0]).notes)


def test_lines_say_it_all_shortened_and_without_personal_data(tmp_path: Path) -> None:
    build = text("p.csv", f"question,answer,topic,notes\nmy name is Maria,{LONG},sleep,x\n")
    first, *others = shown(tmp_path, build).lines()
    assert first == "p.csv: CSV, separated by commas, pairs"
    assert "  question   'question'" in others and "  also       topic 'topic'" in others
    assert "  not used   'notes'" in others
    assert "  Q  my name is [name]" in others
    assert all(len(line) <= 110 for line in others) and others[-1].endswith("…")


def test_columns_that_are_not_understood_are_shown_as_such(tmp_path: Path) -> None:
    found = shown(tmp_path, text("p.csv", "galdera,erantzuna\nq0,a0\n"))
    assert (found.columns, found.ignored, found.pairs) == ({}, ("galdera", "erantzuna"), ())


def test_of_two_names_that_end_alike_none_is_taken(tmp_path: Path) -> None:
    found = shown(tmp_path, text("p.csv", "question,good answer,bad answer\nq0,a0,a1\n"))
    assert (found.columns, found.pairs) == ({"question": ("question",)}, ())


def test_owners_names_for_other_columns_leave_conversations_alone(tmp_path: Path) -> None:
    build = lines("p.jsonl", {**SHAREGPT, "aihe": "sleep"})
    (example,) = read_pairs(build(tmp_path), Reading({"topic": "aihe"}))
    assert (example.topic, example.question, example.answer) == ("sleep", "q0", "a0")


def test_a_broken_list_is_not_taken_for_json_lines(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"p\.json line 3: not valid JSON"):
        read_pairs(text("p.json", '[\n{"q": "q0", "a": "a0"}\n{"q": "q1", "a": "a1"}]')(tmp_path))


def test_a_file_cut_off_inside_a_letter_is_a_fault_and_no_other_table(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes("question,answer\nq0,naïve café é".encode()[:-1])
    with pytest.raises(DataError, match=r"p\.csv line 2 \(byte 32\): not UTF-8 text"):
        read_pairs(path)


def test_a_tally_counts_without_keeping(make_pair: Callable[..., Example]) -> None:
    tally = Tally()
    items = [
        *(
            Found("p", make_pair(f"x{n}", "q", "word " * n, topic="sleep" if n % 2 else "mood"))
            for n in range(1, 6)
        ),
        Found("p", make_pair("x6", "q", "word " * 9, locale="pt-BR")),
        Fault("p", "no"),
    ]
    assert list(tally.counting(items)) == items
    assert (tally.pairs, tally.unreadable, tally.median_words) == (6, 1, 3)
    assert str(tally) == (
        "6 pairs; 1 unreadable; answers of 3 words (median); topics: sleep 3, mood 2, general 1; "
        "languages: en 5, pt 1"
    )


def test_a_title_above_the_header_is_noted_and_not_read(tmp_path: Path) -> None:
    rows = [["Night team, November"], [], ["Question", "Answer"], ["q1", "a1"]]
    path = workbook({"Read me": [["About"], ["See the other sheet"]], "Pairs": rows})(tmp_path)
    (source,) = open_sources(path)
    seen = preview(source)
    assert seen.pairs == (("q1", "a1"),)
    assert "row 1, 'Night team, November', stands above the header and is not read" in seen.notes
    assert [example.id for example in read_pairs(path)] == ["p-0004"]


def test_a_row_of_several_cells_is_the_header_even_if_a_later_one_looks_like_it(tmp_path: Path) -> None:
    path = text("p.csv", "Galdera,Erantzuna\nquestion,answer\n")(tmp_path)
    with pytest.raises(DataError, match="columns found: 'Galdera', 'Erantzuna'"):
        read_pairs(path)


def test_merged_cells_are_told_for_they_hold_one_text(tmp_path: Path) -> None:
    import openpyxl

    path = workbook({"Pairs": [["Topic", "Question", "Answer"], ["sleep", "q1", "a1"], [None, "q2", "a2"]]})(
        tmp_path
    )
    (source,) = open_sources(path)
    assert preview(source).notes == ()
    book = openpyxl.load_workbook(path)
    book["Pairs"].merge_cells("A2:A3")
    book.save(path)
    assert any("has merged cells" in note for note in preview(source).notes)
    assert [example.topic for example in read_pairs(path)] == ["sleep", "general"]


def test_a_row_with_two_faults_is_one_unreadable_row() -> None:
    tally = Tally()
    for fault in (
        Fault("row 2", "question is empty"),
        Fault("row 2", "answer is empty"),
        Fault("row 3", "too"),
    ):
        tally.add(fault)
    assert tally.unreadable == 2
