"""Rows out of files: CSV, TSV, JSON Lines, JSON, Parquet, Excel. What values mean is decided in ``shapes``.

Every reader streams: a million rows need no more memory than one batch, save for a JSON array, which is
read whole.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from smallhours.corpus.columns import meanings
from smallhours.corpus.encoding import detect
from smallhours.corpus.json_tables import read_json, read_lines
from smallhours.corpus.lines import LONGEST_TEXT, beginning, lines_of
from smallhours.corpus.rows import TOP, Fault, Row, Table, is_filled, with_header
from smallhours.domain.errors import DataError

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_TOLD = re.compile(
    r"\"?sep=(.)\"?", re.IGNORECASE
)  # how Excel says in the first line which separator follows
BATCH = 1024
_PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz")
_MERGED = b"<mergeCell "
_BEGINNING = 1 << 16  # characters in which the separator is looked for
_FIRST_ROWS = 10
_EMPTY = "is empty; every pair needs a question and an answer"


def open_table(path: Path, name: str, sheet: str | None = None) -> Table:
    """A fresh pass over a file, by its ending. ``sheet`` names the worksheet of an Excel file.

    Raises:
        DataError: for an ending we do not read, a file that is empty, or one that is not what it says.
    """
    reader = READERS.get(path.suffix.lower())
    if path.suffix.lower() in _PACKED:
        raise DataError(f"{name}: is compressed; unpack it and name the file of pairs in it")
    if reader is None:
        raise DataError(
            f"{name}: files of kind '{path.suffix}' are not read; save it as one of {', '.join(READERS)}"
        )
    if path.stat().st_size == 0:
        raise DataError(f"{name}: {_EMPTY}")
    return reader(path, name, sheet)


def read_delimited(path: Path, name: str, sheet: str | None = None) -> Table:
    """CSV and TSV; the header is row 1, empty rows count and are skipped.

    In a ``.csv`` the separator is the comma, semicolon, tab or bar with which one of the first rows makes a
    header and the rows below are as wide: what spreadsheets write depends on their language.
    """
    kind = detect(path, name)
    notes = [kind.note] * bool(kind.note)
    start = beginning(path, kind.codec, _BEGINNING)
    if not start:
        raise DataError(f"{name}: {_EMPTY}")
    told = _TOLD.fullmatch(start.splitlines()[0])
    separator = told[1] if told else "\t" if path.suffix.lower() == ".tsv" else _separator(start)
    rows = _cells(path, kind.codec, separator)
    if told:
        next(rows)
    words = _SEPARATORS.get(separator, "its own mark")
    table = with_header(rows, notes, f"{path.suffix[1:].upper()}, separated by {words}")
    if table is None:
        raise DataError(f"{name}: {_EMPTY}")
    return table


def _separator(start: str) -> str:
    lines = start.splitlines(keepends=True)

    def fitness(separator: str) -> tuple[bool, int, float, int]:
        """Whether it makes a header, how early, for what share of the rows, how often in the first line."""
        try:
            rows = list(islice(csv.reader(lines, delimiter=separator), _FIRST_ROWS))
        except csv.Error:
            rows = []
        header = next((at for at, cells in enumerate(rows) if not meanings(cells)[1]), None)
        below = [len(cells) for cells in rows[header or 0 :] if cells]
        wide = below.count(below[0]) / len(below) if below and below[0] > 1 else 0.0
        return header is not None, -(header or 0), wide, lines[0].count(separator)

    return max(_SEPARATORS, key=fitness)


class _Lines:
    """Lines for the reader of CSV, which takes no other answer to one that is too long than an error."""

    def __init__(self, path: Path, codec: str) -> None:
        self._lines = lines_of(path, codec)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if line is None:
            raise csv.Error(_LIMIT)
        return line


_LIMIT = "field larger than field limit"


def _cells(path: Path, codec: str, separator: str) -> Iterator[tuple[int, list[str]] | Fault]:
    csv.field_size_limit(LONGEST_TEXT)
    number, line = 0, 1
    reader = csv.reader(_Lines(path, codec), delimiter=separator, strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # To go on would be to guess where a text ends, and to take its middle for pairs.
            yield Fault(f"row {number + 1}", _broken(error, line), end=True)
            return
        if cells is None:
            return
        number += 1
        line = reader.line_num + 1
        yield number, [cell.strip() for cell in cells]


def _broken(error: csv.Error, line: int) -> str:
    if _LIMIT in str(error):
        return (
            f"from line {line} on there is a text of more than {LONGEST_TEXT:,} characters; shorten it, or "
            "close it with a quotation mark if that is missing"
        )
    return (
        f"malformed CSV from line {line} on ({error}); a quotation mark inside a text is "
        'written twice (""), and a text is closed with one'
    )


def read_parquet(path: Path, name: str, sheet: str | None = None) -> Table:
    """Apache Parquet, a batch of rows at a time; rows count from 1."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(path) as file:
            header = tuple(file.schema_arrow.names)
    except (arrow.ArrowInvalid, OSError) as error:
        raise DataError(f"{name}: not a Parquet file ({str(error).splitlines()[0]})") from None

    def rows() -> Iterator[Row | Fault]:
        number = 0
        try:
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=BATCH):
                    for value in batch.to_pylist():
                        number += 1
                        yield Row(f"row {number}", number, value)
        except (arrow.ArrowInvalid, OSError) as error:
            why = f"cannot be read from here on ({str(error).splitlines()[0]})"
            yield Fault(f"row {number + 1}", why, end=True)

    return Table(rows(), header, kind="Parquet")


def read_excel(path: Path, name: str, sheet: str | None = None) -> Table:
    """An Excel workbook: the sheet asked for, or the first whose header names a question and an answer."""
    from zipfile import BadZipFile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError, ValueError) as error:
        raise DataError(f"{name}: not an Excel workbook of kind .xlsx ({error})") from None
    sheets = {one.title: one for one in book.worksheets}
    chosen = sheet
    fitting: list[str] = []
    if chosen is None:
        heads = {title: _head(one) for title, one in sheets.items()}
        fitting = [title for title, rows in heads.items() if any(not meanings(names)[1] for names in rows)]
        filled = [title for title, rows in heads.items() if rows]
        chosen = next(iter(fitting or filled), None)
    elif chosen not in sheets:
        raise DataError(f"{name}: has no sheet '{sheet}'; its sheets are {', '.join(map(repr, sheets))}")
    notes: list[str] = []
    if len(sheets) > 1 and chosen is not None:
        others = ", ".join(repr(title) for title in sheets if title != chosen)
        too = [repr(title) for title in fitting if title != chosen]
        alike = f" ({', '.join(too)}: with pairs, too)" if too else ""
        notes.append(
            f"{name}: read the sheet '{chosen}' and not {others}{alike}; choose another with "
            "--set corpus.sheet=NAME"
        )
    if chosen is not None and _has_merged_cells(book, sheets[chosen]):
        notes.append(
            f"{name}: has merged cells, which hold their text in their first row alone; if the other rows "
            "need it, unmerge them and fill it down"
        )
    table = chosen and with_header(_excel_cells(sheets[chosen]), notes, f"Excel, sheet '{chosen}'")
    if not table:
        raise DataError(f"{name}: {_EMPTY}")
    return table


def _excel_cells(sheet: Any) -> Iterator[tuple[int, list[Any]]]:
    sheet.reset_dimensions()  # what other programs write there is often wrong
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        yield number, [cell.strip() if isinstance(cell, str) else cell for cell in cells]


def _head(sheet: Any) -> list[list[str]]:
    """The first filled rows as names of columns."""
    rows = (cells for _, cells in islice(_excel_cells(sheet), TOP))
    return [
        [str(cell).strip() if is_filled(cell) else "" for cell in cells]
        for cells in rows
        if any(map(is_filled, cells))
    ]


def _has_merged_cells(book: Any, sheet: Any) -> bool:
    """Whether the file of the sheet names any; openpyxl leaves them out when it reads row by row."""
    with book._archive.open(sheet._worksheet_path) as stream:
        tail = b""
        while piece := stream.read(1 << 20):
            if _MERGED in tail + piece:
                return True
            tail = piece[-len(_MERGED) :]
    return False


READERS: dict[str, Callable[[Path, str, str | None], Table]] = {
    ".jsonl": read_lines,
    ".ndjson": read_lines,
    ".json": read_json,
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".parquet": read_parquet,
    ".xlsx": read_excel,
}
