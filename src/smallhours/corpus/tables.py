"""Rows out of files: CSV, TSV, JSON Lines, JSON, Parquet, Excel. What values mean is decided in ``shapes``.

Every reader streams: a million rows need no more memory than one batch, save for a JSON array, which is
read whole.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from smallhours.corpus.encoding import detect
from smallhours.domain.errors import DataError

# JSON can spell it, no file can hold it.
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE = 1 << 16
_BATCH = 1024
_LONGEST_CELL = 1 << 20


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file and where (``row 14``, ``line 3``)."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file: where an editor or a spreadsheet shows it, its number there, and its fields."""

    place: str
    number: int
    value: dict[str, Any]


@dataclass
class Table:
    """What a reader gives: the rows, the header where all rows share one, and notes for the owner."""

    rows: Iterator[Row | Fault]
    header: tuple[str, ...] | None = None
    notes: list[str] = field(default_factory=list)


def open_table(path: Path, name: str, sheet: str | None = None) -> Table:
    """A fresh pass over a file, by its ending. ``sheet`` names the worksheet of an Excel file.

    Raises:
        DataError: for an ending we do not read, a file that is empty, or one that is not what it says.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{name}: files of kind '{path.suffix}' are not read; save it as one of {', '.join(READERS)}"
        )
    if path.stat().st_size == 0:
        raise DataError(f"{name}: is empty; every pair needs a question and an answer")
    return reader(path, name, sheet)


def read_lines(path: Path, name: str, sheet: str | None = None) -> Table:
    """JSON Lines: an object a line; blank lines count and are skipped."""
    kind = detect(path, name)
    # newline="\n": JSON may hold U+2028, which is no end of a line here.
    stream = path.open(encoding=kind.codec, newline="\n")
    return Table(_lines(stream), notes=[kind.note] * bool(kind.note))


def _lines(stream: TextIO) -> Iterator[Row | Fault]:
    with stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield _object(line, f"line {number}", number)


def _object(line: str, place: str, number: int) -> Row | Fault:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return Fault(place, f"not valid JSON at column {error.colno} ({error.msg}); one object per line")
    except (RecursionError, ValueError):
        return Fault(place, "not valid JSON (nested too deep, or a number too long)")
    if "\\ud" in line.lower() and _HALF_CHARACTER.search(json.dumps(value, ensure_ascii=False)):
        return Fault(place, "holds half a character (an unpaired \\ud…); write the whole one")
    if not isinstance(value, dict):
        return Fault(place, f"holds {_kind(value)}; every line must be an object {{…}}")
    return Row(place, number, value)


def read_json(path: Path, name: str, sheet: str | None = None) -> Table:
    """One JSON value: a list of objects, or an object whose only list of objects holds them."""
    kind = detect(path, name)
    text = path.read_text(encoding=kind.codec)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if "\n{" in text.strip():
            return Table(
                _lines(path.open(encoding=kind.codec, newline="\n")), notes=[f"{name}: read as JSON Lines"]
            )
        raise DataError(
            f"{name} line {error.lineno}: not valid JSON at column {error.colno} ({error.msg})"
        ) from None
    except (RecursionError, ValueError):
        raise DataError(f"{name}: not valid JSON (nested too deep, or a number too long)") from None
    notes = [kind.note] * bool(kind.note)
    if isinstance(value, dict):
        lists = [
            key
            for key, held in value.items()
            if isinstance(held, list) and held and isinstance(held[0], dict)
        ]
        if len(lists) == 1 and not {"messages", "conversations"} & set(lists):
            notes.append(f"{name}: the pairs are the list '{lists[0]}'")
            value = value[lists[0]]
        elif not lists or {"messages", "conversations"} & set(lists):
            value = [value]
        else:
            found = ", ".join(f"'{key}'" for key in lists)
            raise DataError(
                f"{name}: holds several lists of objects ({found}); save the one with the pairs by itself"
            )
    if not isinstance(value, list):
        raise DataError(f"{name}: holds {_kind(value)}; it must be a list of objects, one for each pair")
    return Table(_items(value), notes=notes)


def _items(values: list[Any]) -> Iterator[Row | Fault]:
    for number, value in enumerate(values, start=1):
        place = f"item {number}"
        if not isinstance(value, dict):
            yield Fault(place, f"holds {_kind(value)}; every item must be an object {{…}}")
        elif _HALF_CHARACTER.search(json.dumps(value, ensure_ascii=False)):
            yield Fault(place, "holds half a character (an unpaired \\ud…); write the whole one")
        else:
            yield Row(place, number, value)


def read_delimited(path: Path, name: str, sheet: str | None = None) -> Table:
    """CSV and TSV; the header is row 1, empty rows count and are skipped.

    In a ``.csv`` the separator is the comma, semicolon, tab or bar that the header has most of: what
    spreadsheets write depends on their language.
    """
    kind = detect(path, name)
    notes = [kind.note] * bool(kind.note)
    with path.open(encoding=kind.codec, newline="") as stream:
        first = next((line for line in stream if line.strip()), "")
    if not first.strip():
        raise DataError(f"{name}: is empty; every pair needs a question and an answer")
    separator = "\t" if path.suffix.lower() == ".tsv" else max(_SEPARATORS, key=first.count)
    rows = _cells(path.open(encoding=kind.codec, newline=""), separator)
    return _with_header(rows, name, notes)


def _cells(stream: TextIO, separator: str) -> Iterator[tuple[int, list[str]] | Fault]:
    csv.field_size_limit(_LONGEST_CELL)
    number, line = 0, 1
    with stream:
        reader = csv.reader(stream, delimiter=separator, strict=True)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield Fault(
                    f"row {number + 1}",
                    f"malformed CSV from line {line} on ({error}); a quotation mark inside a text is "
                    'written twice (""), and a text is closed with one',
                )
                return
            if cells is None:
                return
            number += 1
            line = reader.line_num + 1
            yield number, [cell.strip() for cell in cells]


def _with_header(rows: Iterator[tuple[int, list[Any]] | Fault], name: str, notes: list[str]) -> Table:
    for item in rows:
        if isinstance(item, Fault):
            return Table(iter([item]), notes=notes)
        cells = item[1]
        if any(_filled(cell) for cell in cells):
            header = tuple(str(cell).strip() if _filled(cell) else "" for cell in cells)
            return Table(_records(rows, header), header, notes)
    raise DataError(f"{name}: is empty; every pair needs a question and an answer")


def _records(rows: Iterable[tuple[int, list[Any]] | Fault], header: tuple[str, ...]) -> Iterator[Row | Fault]:
    for item in rows:
        if isinstance(item, Fault):
            yield item
            continue
        number, cells = item
        if not any(_filled(cell) for cell in cells):
            continue
        place = f"row {number}"
        if any(_filled(cell) for cell in cells[len(header) :]):
            yield Fault(
                place,
                f"has {len(cells)} values and the header names {len(header)} columns; "
                "put quotation marks around a text that holds the separator",
            )
            continue
        padded = [*cells, *[""] * (len(header) - len(cells))]
        yield Row(place, number, {key: cell for key, cell in zip(header, padded, strict=False) if key})


def read_parquet(path: Path, name: str, sheet: str | None = None) -> Table:
    """Apache Parquet, a batch of rows at a time; rows count from 1."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(path)
    except (arrow.ArrowInvalid, OSError) as error:
        raise DataError(f"{name}: not a Parquet file ({str(error).splitlines()[0]})") from None

    def rows() -> Iterator[Row | Fault]:
        number = 0
        with file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for value in batch.to_pylist():
                    number += 1
                    yield Row(f"row {number}", number, value)

    return Table(rows(), tuple(file.schema_arrow.names))


def read_excel(path: Path, name: str, sheet: str | None = None) -> Table:
    """An Excel workbook: the sheet asked for, or the first whose header names a question and an answer."""
    from zipfile import BadZipFile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    from smallhours.corpus.columns import meanings

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError, ValueError) as error:
        raise DataError(f"{name}: not an Excel workbook of kind .xlsx ({error})") from None
    names = list(book.sheetnames)
    if sheet is not None and sheet not in names:
        raise DataError(f"{name}: has no sheet '{sheet}'; its sheets are {', '.join(map(repr, names))}")
    notes: list[str] = []
    chosen = sheet
    if chosen is None:
        headers = {one: _first_cells(book[one]) for one in names}
        fitting = [one for one, header in headers.items() if not meanings(header)[1]]
        filled = [one for one, header in headers.items() if header]
        if not filled:
            raise DataError(f"{name}: is empty; every pair needs a question and an answer")
        chosen = (fitting or filled)[0]
    if len(names) > 1:
        others = ", ".join(repr(one) for one in names if one != chosen)
        notes.append(
            f"{name}: read the sheet '{chosen}' and not {others}; choose another with --set corpus.sheet=NAME"
        )
    return _with_header(_excel_cells(book[chosen]), name, notes)


def _excel_cells(sheet: Any) -> Iterator[tuple[int, list[Any]] | Fault]:
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        yield number, [cell.strip() if isinstance(cell, str) else cell for cell in cells]


def _first_cells(sheet: Any) -> list[str]:
    for cells in islice(sheet.iter_rows(values_only=True), 50):
        if any(_filled(cell) for cell in cells):
            return [str(cell).strip() if _filled(cell) else "" for cell in cells]
    return []


def _filled(cell: Any) -> bool:
    return cell is not None and str(cell).strip() != ""


def _kind(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


READERS: dict[str, Callable[[Path, str, str | None], Table]] = {
    ".jsonl": read_lines,
    ".ndjson": read_lines,
    ".json": read_json,
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".parquet": read_parquet,
    ".xlsx": read_excel,
}
