"""Rows out of text: CSV, TSV and JSON Lines. What the cells mean is decided in ``rows``."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# JSON can spell it, no file can hold it.
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_CANDIDATES = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file and where (``row 14``, ``line 3``)."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file: its number as an editor or a spreadsheet shows it, and what it holds."""

    number: int
    value: Any


def parse_lines(text: str) -> Iterator[Row | Fault]:
    """JSON Lines: an object a line; blank lines count and are skipped."""
    # Not splitlines(): JSON may hold U+2028, which is no end of a line here.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            yield Fault(
                f"line {number}", f"not valid JSON at column {error.colno} ({error.msg}); one object per line"
            )
        except (RecursionError, ValueError):
            yield Fault(f"line {number}", "not valid JSON (nested too deep, or a number too long)")
        else:
            if "\\ud" in line.lower() and _HALF_CHARACTER.search(json.dumps(value, ensure_ascii=False)):
                yield Fault(
                    f"line {number}", "holds half a character (an unpaired \\ud…); write the whole one"
                )
            elif isinstance(value, dict):
                yield Row(number, value)
            else:
                yield Fault(f"line {number}", f"holds {_kind(value)}; every line must be an object {{…}}")


def parse_table(text: str, separator: str | None) -> Iterator[Row | Fault]:
    """The rows of CSV or TSV, header included, each a list of stripped cells; the header is row 1.

    ``separator`` None means the comma, semicolon or tab that the header has most of: what
    spreadsheets write depends on their language. Empty rows count and are skipped.
    """
    header = text.strip().splitlines()[0]
    chosen = separator or max(_CANDIDATES, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=chosen, strict=True)
    number, line = 0, 1
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
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield Row(number, stripped)


def _kind(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
