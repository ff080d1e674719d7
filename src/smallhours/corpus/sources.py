"""Where pairs come from: a file of JSON Lines, CSV or TSV, or the pairs that come with us.

A file is read whole or not at all: every problem found is reported in one error, none is skipped.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from smallhours.corpus import rows, tables
from smallhours.domain.artifacts import hash_bytes
from smallhours.domain.errors import DataError
from smallhours.domain.records import Example

BUILTIN_NAME = "pairs.en.jsonl"
SHOWN = 20
_SEPARATORS = {".csv": None, ".tsv": "\t"}
_LINES = (".jsonl", ".ndjson")


def read_pairs(path: Path) -> list[Example]:
    """The pairs of a file, in its order.

    JSON Lines (``.jsonl``, ``.ndjson``) hold records with ``messages``, or a question and an answer;
    CSV and TSV hold a header row and the columns ``question`` and ``answer`` (or common names for
    them) and, if wanted, ``id``, ``topic``, ``locale``, ``source``, ``author`` and ``licence``.
    A pair without an id is named after the file and its row: ``pairs-0002``.

    Raises:
        DataError: with all the problems found (20 are shown), each naming its row.
    """
    return _parse(path.name, path.suffix.lower(), path.stem, _read(path))


def builtin_pairs() -> list[Example]:
    """The 98 pairs that come with the package."""
    return _parse(BUILTIN_NAME, ".jsonl", "builtin", _builtin_bytes())


def load_pairs(path: Path | None) -> list[Example]:
    """The pairs of ``path``, or the built-in ones where there is none."""
    return read_pairs(path) if path else builtin_pairs()


def source_name(path: Path | None) -> str:
    """What messages call the file."""
    return path.name if path else BUILTIN_NAME


def hash_pairs(path: Path | None) -> str:
    """SHA-256 of the content of a pairs file: neither its name nor its place matters.

    Raises:
        DataError: if it cannot be read.
    """
    return hash_bytes(_read(path) if path else _builtin_bytes())


def _builtin_bytes() -> bytes:
    return (resources.files("smallhours.corpus") / "data" / BUILTIN_NAME).read_bytes()


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name the file of pairs in it")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def _parse(name: str, suffix: str, stem: str, data: bytes) -> list[Example]:
    if suffix not in _SEPARATORS and suffix not in _LINES:
        kinds = ", ".join((*_LINES, *_SEPARATORS))
        raise DataError(f"{name}: files of kind '{suffix}' are not read; save it as one of {kinds}")
    text = _decode(name, data)
    if not text.strip():
        raise DataError(f"{name}: is empty; every pair needs a question and an answer")
    if suffix in _LINES:
        examples, faults = rows.from_lines(tables.parse_lines(text), stem)
    else:
        examples, faults = rows.from_table(tables.parse_table(text, _SEPARATORS[suffix]), stem)
    faults += rows.duplicate_ids(examples)
    if faults:
        shown = [f"{name} {fault}" for fault in faults]
        if len(shown) > SHOWN:
            shown[SHOWN:] = [f"{name}: and {len(shown) - SHOWN} more"]
        raise DataError(shown)
    if not examples:
        raise DataError(f"{name}: has a header and no pairs; add a row for each pair")
    return [found.example for found in examples]


def _decode(name: str, data: bytes) -> str:
    """UTF-8 with or without a byte order mark; a NUL betrays UTF-16 and other binary files."""
    at = data.find(b"\0")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The offset counts from behind a byte order mark.
        at = error.start + (len(data) - len(error.object))
    if at < 0:
        return text
    line = data.count(b"\n", 0, at) + 1
    raise DataError(
        f"{name} line {line} (byte {at}): not UTF-8 text (found 0x{data[at]:02X}); "
        "save it as UTF-8 (Excel: 'CSV UTF-8')"
    )
