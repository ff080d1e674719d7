"""What the columns and fields of a pairs file mean."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from smallhours.corpus.columns import meanings
from smallhours.corpus.tables import Fault, Row
from smallhours.domain.records import Example

# BCP 47 as far as the field uses it: language, perhaps script, perhaps region.
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?")


@dataclass(frozen=True, slots=True)
class Found:
    """An example and the place it was read from."""

    place: str
    example: Example


Outcome = tuple[list[Found], list[Fault]]


def from_table(rows: Iterable[Row | Fault], stem: str) -> Outcome:
    """Examples from the rows of a table; the first row names the columns."""
    found: list[Found] = []
    faults: list[Fault] = []
    header: list[str] | None = None
    columns: dict[str, str] = {}
    for row in rows:
        if isinstance(row, Fault):
            faults.append(row)
        elif header is None:
            header = row.value
            columns, wrong = meanings(row.value)
            if wrong:
                return [], [Fault("row 1", text) for text in wrong]
        elif any(row.value[len(header) :]):
            faults.append(
                Fault(
                    f"row {row.number}",
                    f"has {len(row.value)} values and the header names {len(header)} columns; "
                    "put quotation marks around a text that holds the separator",
                )
            )
        else:
            cells = row.value + [""] * (len(header) - len(row.value))
            values = {
                columns[name]: cell for name, cell in zip(header, cells, strict=False) if name in columns
            }
            _keep(_example_of_pair(values, columns, stem, row.number), f"row {row.number}", found, faults)
    return found, faults


def from_lines(rows: Iterable[Row | Fault], stem: str) -> Outcome:
    """Examples from objects: with ``messages``, or with a question and an answer."""
    found: list[Found] = []
    faults: list[Fault] = []
    for row in rows:
        if isinstance(row, Fault):
            faults.append(row)
        elif "messages" in row.value:
            _keep(_example_of_record(row.value, stem, row.number), f"line {row.number}", found, faults)
        else:
            columns, wrong = meanings(list(row.value))
            outcome: Example | list[str] = wrong
            if not wrong:
                values = {meaning: row.value[name] for name, meaning in columns.items()}
                outcome = _example_of_pair(values, columns, stem, row.number)
            _keep(outcome, f"line {row.number}", found, faults)
    return found, faults


def duplicate_ids(found: Sequence[Found]) -> list[Fault]:
    """A fault for each example whose id an earlier one has."""
    first: dict[str, str] = {}
    faults = []
    for place, example in ((f.place, f.example) for f in found):
        if example.id in first:
            faults.append(
                Fault(place, f"id '{example.id}' is taken by {first[example.id]}; every id must be unique")
            )
        first.setdefault(example.id, place)
    return faults


def _keep(outcome: Example | list[str], place: str, found: list[Found], faults: list[Fault]) -> None:
    if isinstance(outcome, Example):
        found.append(Found(place, outcome))
    else:
        faults.extend(Fault(place, text) for text in outcome)


def _example_of_pair(
    values: Mapping[str, Any], columns: Mapping[str, str], stem: str, number: int
) -> Example | list[str]:
    wrong = []
    texts: dict[str, str] = {}
    for name, meaning in columns.items():
        value = values[meaning]
        if value is None:
            value = ""
        if not isinstance(value, str):
            wrong.append(f"{meaning} must be text, not {value!r:.40} (column '{name}')")
            continue
        texts[meaning] = value.strip()
        if meaning in ("question", "answer") and not texts[meaning]:
            wrong.append(f"{meaning} is empty; every pair needs one (column '{name}')")
    if wrong:
        return wrong
    messages = [
        {"role": "user", "content": texts.pop("question")},
        {"role": "assistant", "content": texts.pop("answer")},
    ]
    given = {meaning: text for meaning, text in texts.items() if text}
    return _example_of_record({**given, "messages": messages}, stem, number)


def _example_of_record(record: Mapping[str, Any], stem: str, number: int) -> Example | list[str]:
    try:
        example = Example.model_validate({"id": f"{stem}-{number:04d}", **record})
    except ValidationError as error:
        return [_explain(detail) for detail in error.errors()]
    wrong = [
        f"messages.{position}.content is empty; remove the message or fill it"
        for position, message in enumerate(example.messages)
        if not message.content.strip()
    ]
    if not _LOCALE.fullmatch(example.locale):
        wrong.append(f"locale '{example.locale}' is not a language tag such as 'en' or 'en-GB'")
    if "~" in example.id:
        wrong.append(f"id '{example.id}' has a '~', which marks our rewordings; choose another id")
    return wrong or example


def _explain(detail: Mapping[str, Any]) -> str:
    field = ".".join(str(part) for part in detail["loc"]) or "record"
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(field, list(Example.model_fields), 1, 0.6)
        hint = f"; did you mean '{near[0]}'?" if near else "; remove it"
        return f"unknown field '{field}'{hint}"
    shown = f" = {detail['input']!r:.60}" if isinstance(detail["input"], str | int | float | None) else ""
    return f"{field}{shown}: {detail['msg'].removeprefix('Value error, ')}"
