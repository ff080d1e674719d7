"""Rows out of JSON Lines, a line at a time, and out of JSON, which is read whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from smallhours.corpus.columns import meanings
from smallhours.corpus.encoding import detect
from smallhours.corpus.lines import TOO_LONG, beginning, lines_of
from smallhours.corpus.rows import Fault, Row, Table
from smallhours.domain.errors import DataError

# JSON can spell it, no file can hold it.
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_HALF = "holds half a character (an unpaired \\ud…); write the whole one"
_BEGINNING = 64  # characters that tell a list from lines
_LIST_OVER_LINES = re.compile(r"\[\s*\{?\s*\n")
_LIST_OF_OBJECTS = re.compile(r"\[\s*\{")
_TURNS = {"messages", "conversations"}
_DEEPEST = 4  # objects within objects in which the pairs are looked for


def read_lines(path: Path, name: str, sheet: str | None = None) -> Table:
    """JSON Lines: an object a line; blank lines count and are skipped. A list over many lines is JSON."""
    kind = detect(path, name)
    if _is_one_list(path, kind.codec):
        return read_json(path, name)
    return Table(_lines(path, kind.codec), notes=[kind.note] * bool(kind.note), kind="JSON Lines")


def _is_one_list(path: Path, codec: str) -> bool:
    """Whether the file is a list of objects, over many lines or all on one."""
    start = beginning(path, codec, _BEGINNING)
    if _LIST_OVER_LINES.match(start):
        return True
    filled = (line for line in lines_of(path, codec, "\n") if line is None or line.strip())
    return _LIST_OF_OBJECTS.match(start) is not None and len(list(islice(filled, 2))) == 1


def _lines(path: Path, codec: str) -> Iterator[Row | Fault]:
    # newline="\n": JSON may hold U+2028, which is no end of a line here.
    for number, line in enumerate(lines_of(path, codec, "\n"), start=1):
        if line is None:
            yield Fault(f"line {number}", TOO_LONG)
        elif line.strip():
            yield _object(line, f"line {number}", number)


def _object(line: str, place: str, number: int) -> Row | Fault:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return Fault(place, f"not valid JSON at column {error.colno} ({error.msg}); one object per line")
    except (RecursionError, ValueError):
        return Fault(place, "not valid JSON (nested too deep, or a number too long)")
    if "\\ud" in line.lower() and _has_half(value):
        return Fault(place, _HALF)
    if not isinstance(value, dict):
        return Fault(place, f"holds {_kind(value)}; every line must be an object {{…}}")
    return Row(place, number, value)


def read_json(path: Path, name: str, sheet: str | None = None) -> Table:
    """One JSON value: a list of objects, an object that holds one, or a table by columns or by ids."""
    kind = detect(path, name)
    notes = [kind.note] * bool(kind.note)
    text = path.read_text(encoding=kind.codec)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("{") and "\n{" in text.strip():
            return Table(
                _lines(path, kind.codec), notes=[*notes, f"{name}: read as JSON Lines"], kind="JSON Lines"
            )
        raise DataError(
            f"{name} line {error.lineno}: not valid JSON at column {error.colno} ({error.msg})"
        ) from None
    except (RecursionError, ValueError):
        raise DataError(f"{name}: not valid JSON (nested too deep, or a number too long)") from None
    if isinstance(value, dict):
        value = _records_in(value, name, notes)
    if not isinstance(value, list):
        raise DataError(f"{name}: holds {_kind(value)}; it must be a list of objects, one for each pair")
    return Table(_items(value, "\\ud" in text.lower()), notes=notes, kind="JSON")


def _records_in(value: Mapping[str, Any], name: str, notes: list[str]) -> list[Any]:
    lists = [
        key for key, held in value.items() if isinstance(held, list) and held and isinstance(held[0], dict)
    ]
    if len(lists) > 1 and not _TURNS & set(lists) and meanings(lists)[1]:
        found = ", ".join(f"'{key}'" for key in lists)
        raise DataError(
            f"{name}: holds several lists of objects ({found}); save the one with the pairs by itself"
        )
    if len(lists) == 1 and not _TURNS & set(lists):
        notes.append(f"{name}: the pairs are the list '{lists[0]}'")
        return list(value[lists[0]])
    if not meanings(tuple(value))[1] and _same_size(value.values()):
        notes.append(f"{name}: a table by columns")
        columns = [list(held.values()) if isinstance(held, dict) else held for held in value.values()]
        return [dict(zip(value, cells, strict=True)) for cells in zip(*columns, strict=True)]
    if len(value) > 1 and all(isinstance(held, dict) and _is_pair(held) for held in value.values()):
        notes.append(f"{name}: each pair is named by its key")
        return [{"id": key, **held} for key, held in value.items()]
    if _is_dictionary(value):
        notes.append(f"{name}: each key is a question and its value the answer")
        return [{"question": key, "answer": held} for key, held in value.items()]
    if lists:
        return [value]
    nested = dict(_nested_lists(value))
    pairs = {place: held for place, held in nested.items() if _is_pair(held[0])} or nested
    if len(pairs) > 1:
        found = ", ".join(f"'{place}'" for place in pairs)
        raise DataError(
            f"{name}: holds several lists of objects ({found}); save the one with the pairs by itself"
        )
    for place, held in pairs.items():
        notes.append(f"{name}: the pairs are the list '{place}'")
        return held
    return [value]


def _is_pair(value: Mapping[str, Any]) -> bool:
    return bool(_TURNS & set(value)) or not meanings(tuple(value))[1]


def _is_dictionary(value: Mapping[str, Any]) -> bool:
    """Whether questions are the keys and answers the values: texts, the most of them of several words."""
    said = [
        key for key, held in value.items() if isinstance(held, str) and " " in key.strip() and " " in held
    ]
    return (
        len(value) > 1
        and all(isinstance(held, str) for held in value.values())
        and 2 * len(said) > len(value)
    )


def _nested_lists(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Every list of objects below ``value``, by its path (``data.train``); the turns of a pair are none."""
    for key, held in value.items():
        if isinstance(held, dict) and above.count(".") < _DEEPEST:
            yield from _nested_lists(held, f"{above}{key}.")
        elif isinstance(held, list) and held and isinstance(held[0], dict) and key not in _TURNS:
            yield f"{above}{key}", held


def _same_size(columns: Any) -> bool:
    """Whether these are the columns of a table: lists, or objects from row to value as pandas writes them."""
    sizes = {len(held) if isinstance(held, list | dict) else -1 for held in columns}
    return len(sizes) == 1 and sizes.pop() >= 0


def _items(values: list[Any], may_have_halves: bool) -> Iterator[Row | Fault]:
    for number, value in enumerate(values, start=1):
        place = f"item {number}"
        if not isinstance(value, dict):
            yield Fault(place, f"holds {_kind(value)}; every item must be an object {{…}}")
        elif may_have_halves and _has_half(value):
            yield Fault(place, _HALF)
        else:
            yield Row(place, number, value)


def _has_half(value: object) -> bool:
    return bool(_HALF_CHARACTER.search(json.dumps(value, ensure_ascii=False)))


def _kind(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
