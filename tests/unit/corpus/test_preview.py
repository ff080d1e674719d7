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


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Preguntas del usuario", "Respuesta del psicólogo"),
        ("Question du patient", "Re\u0301ponse"),  # the accent apart, as one system writes file and name
        ("Frage, so wie gestellt", "Antwort (Berater)"),
        ("Вопрос", "Ответ"),
        ("प्रश्न", "उत्तर"),
        ("السؤال", "الجواب"),
        ("質問", "回答"),
        ("prompt", "chosen"),
    ],
)
def test_names_of_many_languages_are_understood(tmp_path: Path, question: str, answer: str) -> None:
    path = text("p.csv", f"nr;{question};{answer};answer length\n1;q0;a0;2\n")(tmp_path)
    seen = preview(open_sources(path)[0])
    assert seen.columns == {"question": (question,), "answer": (answer,)}
    assert seen.ignored == ("nr", "answer length")


# Files that give their pairs another way: what is in them, and a part of what is noted, if anything.
UNUSUAL: dict[str, tuple[Build, list[tuple[str, str]], str]] = {
    "numbered answers": (
        text("p.csv", "Question,Answer 1,Answer 2\nq0,a0,a1\nq1,a2,\n"),
        [("q0", "a0"), ("q0", "a1"), ("q1", "a2")],
        "",
    ),
    "two columns of one name": (
        text("p.csv", "Question,Answer,Answer\nq0,a0,old\n"),
        [("q0", "a0")],
        "'Answer' is read and not 'Answer 2'; to choose another: --set corpus.columns='answer=Answer 2'",
    ),
    "a list of answers in a cell, as JSON": (
        text("p.csv", 'question,answers\nq0,"[""a0"", ""a1""]"\n'),
        [("q0", "a0"), ("q0", "a1")],
        "",
    ),
    "a list of answers in a cell, as Python writes it": (
        text("p.csv", "question;answers\nq0;['a0', \"it's a1\"]\nq1;[sighs] a2\n"),
        [("q0", "a0"), ("q0", "it's a1"), ("q1", "[sighs] a2")],
        "",
    ),
    "patterns and responses": (
        data("p.json", {"intents": [{"tag": "t", "patterns": ["q0", "q1"], "responses": ["a0", "a1"]}]}),
        [("q0", "a0"), ("q0", "a1"), ("q1", "a0"), ("q1", "a1")],
        "the pairs are the list 'intents'",
    ),
    "an object from questions to answers": (
        data("p.json", {"how are you": "not so well", "can you hear me": "i do"}),
        [("how are you", "not so well"), ("can you hear me", "i do")],
        "each key is a question and its value the answer",
    ),
    "a list among other objects": (
        data("p.json", {"meta": {"by": [{"name": "x"}]}, "result": {"items": [{"q": "q0", "a": "a0"}]}}),
        [("q0", "a0")],
        "the pairs are the list 'result.items'",
    ),
    "a list of objects on one line": (
        text("p.jsonl", '[{"q": "q0", "a": "a0"}, {"q": "q1", "a": "a1"}]'),
        [("q0", "a0"), ("q1", "a1")],
        "",
    ),
    "pairs in a field": (
        lines("p.jsonl", {"id": 7, "data": {"question": "q0", "answer": "a0"}, "meta": {"by": "x"}}),
        [("q0", "a0")],
        "the pairs are in the field 'data'",
    ),
    "Parquet with pairs in a struct": (
        parquet({"qa": [{"question": "q0", "answer": "a0"}], "meta": [{"topic": "x"}]}),
        [("q0", "a0")],
        "the pairs are in the field 'qa'",
    ),
    "Parquet with answers in a struct of lists": (
        parquet({"question": ["q0"], "answers": [{"text": ["a0", "a1"], "votes": [1, 2]}]}),
        [("q0", "a0"), ("q0", "a1")],
        "",
    ),
    "turns in an object of lists": (
        lines("p.jsonl", {"messages": {"role": ["user", "assistant"], "content": ["q0", "a0"]}}),
        [("q0", "a0")],
        "",
    ),
    "a title that spans columns": (
        workbook(
            {"S": [["Client", None, "Helper"], ["Question", "Mood", "Answer"], ["q0", "low", "a0"]]}
        ),
        [("q0", "a0")],
        "row 1, 'Client Helper', stands above the header and is not read",
    ),
    "two sheets with pairs": (
        workbook({"Week 1": [["q", "a"], ["q0", "a0"]], "Week 2": [["q", "a"], ["q1", "a1"]]}),
        [("q0", "a0")],
        "read the sheet 'Week 1' and not 'Week 2' ('Week 2': with pairs, too)",
    ),
    "a title above semicolons": (
        text("p.csv", "Our pairs, all of them\nQuestion;Answer\nq, 0;a, 0\n"),
        [("q, 0", "a, 0")],
        "row 1, 'Our pairs, all of them', stands above",
    ),
    "commas in the header of semicolons": (
        text("p.csv", "Question (short, clear, kind);Answer\nq, 0;a, 0\nq1;a1\n"),
        [("q, 0", "a, 0"), ("q1", "a1")],
        "",
    ),
    "preferred conversations": (
        lines("p.jsonl", {
            "chosen": [{"role": "user", "content": "q0"}, {"role": "assistant", "content": "a0"}],
            "rejected": [{"role": "user", "content": "q0"}, {"role": "assistant", "content": "no"}],
        }),
        [("q0", "a0")],
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNUSUAL)
def test_unusual_files_lose_no_row(tmp_path: Path, case: str) -> None:
    build, pairs, note = UNUSUAL[case]
    path = build(tmp_path)
    assert [(e.question, e.answer) for e in read_pairs(path)] == pairs
    notes = preview(open_sources(path)[0]).notes
    assert any(note in one for one in notes) if note else notes == ()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("p.csv", "question,answer\nq0,a0\nq1,{}\nq2,a2\n", "row 3: from line 3 on there is a text of more"),
        (
            "p.jsonl",
            '{{"q": "q0", "a": "a0"}}\n{{"q": "q1", "a": "{}"}}\n',
            "line 2: is longer than 4,194,304",
        ),
        (
            "p.json",
            '[{{"q": "q0", "a": "a0"}}, {{"q": "q1", "a": "{}"}}]',
            "item 2: a text of role 'assistant'",
        ),
    ],
)
def test_a_text_beyond_all_measure_is_a_fault_and_no_wait(
    tmp_path: Path, name: str, content: str, told: str
) -> None:
    (source,) = open_sources(text(name, content.format("word " * 1_000_000))(tmp_path))
    (fault,) = [item for item in examples_of([source]) if isinstance(item, Fault)]
    assert f"{fault}".startswith(f"{name} {told}")
    assert fault.end == (name == "p.csv")


def test_what_cannot_be_read_to_its_end_is_said(tmp_path: Path) -> None:
    (source,) = open_sources(text("p.csv", 'question,answer\nq0,a0\nq1,"a"1\nq2,a2\n')(tmp_path))
    tally = Tally()
    list(tally.counting(examples_of([source])))
    assert "1 unreadable; nothing after p.csv row 3 could be read" in str(tally)


def test_a_long_row_of_a_file_of_lines_takes_no_other_with_it(tmp_path: Path) -> None:
    long = json.dumps({"q": "q0", "a": "word " * 1_000_000})
    (source,) = open_sources(text("p.jsonl", f'{long}\n{{"q": "q1", "a": "a1"}}\n')(tmp_path))
    assert [item.example.question for item in examples_of([source]) if isinstance(item, Found)] == ["q1"]


def test_a_workbook_under_another_name_is_told_from_a_broken_text(tmp_path: Path) -> None:
    path = workbook({"S": [["q", "a"], ["q0", "a0"]]})(tmp_path)
    with pytest.raises(DataError, match=r"p\.csv: is a packed file .* give it the ending \.xlsx"):
        read_pairs(path.rename(tmp_path / "p.csv"))


def test_a_row_as_wide_as_the_header_is_not_taken_for_a_title(tmp_path: Path) -> None:
    path = text("p.csv", "Pairs,by us\nQuestion,Answer\nq0,a0\n")(tmp_path)
    assert any("row 2 looks like the header, too" in note for note in preview(open_sources(path)[0]).notes)


def test_an_empty_question_below_a_full_one_may_be_meant_to_repeat_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"question is empty; .* if the one above it is meant, write it here"):
        read_pairs(text("p.csv", "question,answer\nq0,a0\n,a1\n")(tmp_path))


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
