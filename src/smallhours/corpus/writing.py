"""Records into files, one at a time: JSON Lines, CSV, TSV, Parquet, Excel. Aside first, then in place."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smallhours.corpus.tables import BATCH
from smallhours.domain.artifacts import aside
from smallhours.domain.errors import DataError
from smallhours.domain.messages import Role
from smallhours.domain.records import Example

Write = Callable[[Mapping[str, Any]], None]

# What a table of pairs holds; JSON Lines and Parquet hold whole records.
PAIR_COLUMNS = ("id", "question", "answer", "topic", "locale", "source", "author", "licence", "group")
RECORD_COLUMNS = tuple(Example.model_fields)
_WHOLE = (".jsonl", ".ndjson", ".parquet")
# Excel's own limits.
_LONGEST_CELL = 32_767  # characters
_MOST_ROWS = 1_048_576


@contextmanager
def pairs_writer(path: Path) -> Iterator[Callable[[Example, str], None]]:
    """Give a function that writes an example and takes its place, for messages.

    Raises:
        DataError: for an ending we do not write, or an example that a table of pairs cannot hold.
    """
    whole = path.suffix.lower() in _WHOLE
    with records_writer(path, RECORD_COLUMNS if whole else PAIR_COLUMNS) as write:

        def write_example(example: Example, place: str) -> None:
            write(example.model_dump(mode="json") if whole else _flat(example, place, path))

        yield write_example


@contextmanager
def records_writer(path: Path, columns: Sequence[str]) -> Iterator[Write]:
    """Give a function that writes a record with these columns.

    Raises:
        DataError: for an ending we do not write.
    """
    require_writable(path)
    with aside(path) as partial, _WRITERS[path.suffix.lower()](partial, columns) as write:
        yield write


def require_writable(path: Path, endings: Sequence[str] = ()) -> None:
    """Raises DataError where the file could not be written: said before work that takes long."""
    allowed = endings or tuple(_WRITERS)
    if path.suffix.lower() not in allowed:
        raise DataError(f"{path}: files of kind '{path.suffix}' are not written; choose {', '.join(allowed)}")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise DataError(f"{path}: the folder {path.parent} does not exist")


def _flat(example: Example, place: str, path: Path) -> dict[str, str]:
    roles = [message.role for message in example.messages]
    if roles != [Role.USER, Role.ASSISTANT] or example.messages[-1].weight == 0:
        raise DataError(
            f"{place}: is more than a question and an answer, which {path.suffix} cannot hold; "
            f"write to a file that ends in {' or '.join(_WHOLE)}"
        )
    fields = example.model_dump(mode="json")
    return {
        column: getattr(example, column) if column in ("question", "answer") else fields[column]
        for column in PAIR_COLUMNS
    }


@contextmanager
def _json_lines(path: Path, columns: Sequence[str]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="\n") as stream:

        def write(record: Mapping[str, Any]) -> None:
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")

        yield write


@contextmanager
def _delimited(path: Path, columns: Sequence[str], separator: str) -> Iterator[Write]:
    # With a mark at the start, or Excel takes it for Windows-1252.
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, columns, delimiter=separator)
        writer.writeheader()
        yield writer.writerow


@contextmanager
def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Write]:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    turn = arrow.struct([("role", arrow.string()), ("content", arrow.string()), ("weight", arrow.int8())])
    schema = arrow.schema(
        [(name, arrow.list_(turn) if name == "messages" else arrow.string()) for name in columns]
    )
    waiting: list[Mapping[str, Any]] = []
    with parquet.ParquetWriter(path, schema) as writer:

        def flush() -> None:
            writer.write_batch(arrow.RecordBatch.from_pylist(waiting, schema))
            waiting.clear()

        def write(record: Mapping[str, Any]) -> None:
            turns = [{"weight": 1, **message} for message in record.get("messages", ())]
            waiting.append({**record, "messages": turns} if turns else record)
            if len(waiting) == BATCH:
                flush()

        yield write
        flush()


@contextmanager
def _excel(path: Path, columns: Sequence[str]) -> Iterator[Write]:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("pairs")
    sheet.append(list(columns))

    rows = iter(range(2, _MOST_ROWS + 1))

    def write(record: Mapping[str, Any]) -> None:
        cells = []
        if next(rows, None) is None or any(len(record[column] or "") > _LONGEST_CELL for column in columns):
            raise DataError(
                f"{path.name.removesuffix('.partial')}: Excel holds {_MOST_ROWS:,} rows and "
                f"{_LONGEST_CELL:,} characters in a cell at most; write to a file that ends in .jsonl"
            )
        for column in columns:
            cell = WriteOnlyCell(sheet, value=record[column])
            cell.data_type = "s"  # a text that begins with "=" is no formula
            cells.append(cell)
        sheet.append(cells)

    yield write
    book.save(path)


_WRITERS = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": lambda path, columns: _delimited(path, columns, ","),
    ".tsv": lambda path, columns: _delimited(path, columns, "\t"),
    ".parquet": _parquet,
    ".xlsx": _excel,
}
