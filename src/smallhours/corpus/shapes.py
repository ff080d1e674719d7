"""Which convention a file follows, and how a row of it becomes an example.

Known are pairs (a question column and an answer column, whatever they are called), ``messages`` (OpenAI,
TRL), ``conversations`` (ShareGPT), instruction/input/output (Alpaca) and prompt/completion in both its forms.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from smallhours.corpus.columns import NAMES, NEEDED, alike, is_numbered, meanings, plain
from smallhours.corpus.lines import LONGEST_TEXT
from smallhours.corpus.pairing import pair_of
from smallhours.corpus.rows import Fault, Row, is_missing
from smallhours.corpus.turns import Turns, turns_of, unfolded
from smallhours.domain.records import Example

# BCP 47 as far as the field uses it: language, perhaps script, perhaps region.
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?")
_OPTIONAL = tuple(meaning for meaning in NAMES if meaning not in NEEDED)


@dataclass(frozen=True, slots=True)
class Found:
    """An example and the place it was read from; ``named`` if its id came from the file."""

    place: str
    example: Example
    named: bool = False


Reader = Callable[[Mapping[str, Any]], tuple[list[Turns], list[str]]]


@dataclass
class Shape:
    """How the rows with one set of fields are read. ``columns`` maps field names to meanings; the fields of
    the object ``inside`` one of them count as the row's own."""

    name: str
    columns: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    read: Reader = lambda row: ([], [])
    inside: str = ""


class Interpreter:
    """Turns rows into examples. ``sample``, the first rows, settles what the field names leave open.

    ``given`` maps meanings (``question``, ``answer`` …) to the owner's column names.
    """

    def __init__(self, stem: str, sample: Sequence[Row], given: Mapping[str, str] | None = None) -> None:
        self._stem = stem
        self._sample = sample
        self._given = dict(given or {})
        self._shapes: dict[tuple[str, ...], Shape] = {}

    def shape(self, names: tuple[str, ...]) -> Shape:
        """How rows with these fields are read; settled once."""
        if names not in self._shapes:
            self._shapes[names] = _settle(names, self._sample, self._given)
        return self._shapes[names]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Every shape met so far."""
        return tuple(self._shapes.values())

    def examples(self, row: Row) -> Iterator[Found | Fault]:
        """The examples of a row (several where it lists several answers), or what is wrong with it."""
        shape = self.shape(tuple(row.value))
        value = _lifted(row.value, shape.inside) if shape.inside else row.value
        conversations, wrong = ([], list(shape.wrong)) if shape.wrong else shape.read(value)
        optional, more = _optional(value, shape)
        wrong = [*wrong, *_too_long(conversations), *more]
        for position, turns in enumerate(conversations if not wrong else ()):
            number = f"{row.number:04d}" + (f"-{position + 1}" if len(conversations) > 1 else "")
            fields = {"id": f"{self._stem}-{number}", **optional, "messages": turns}
            if "id" in optional and len(conversations) > 1:
                fields["id"] = f"{optional['id']}-{position + 1}"
            outcome = _example(fields)
            if isinstance(outcome, Example):
                yield Found(row.place, outcome, named="id" in optional)
            else:
                wrong += outcome
        yield from (Fault(row.place, text) for text in wrong)


def _settle(names: tuple[str, ...], sample: Sequence[Row], given: Mapping[str, str]) -> Shape:
    shape = _flat_shape(names, sample, given)
    return (_nested_shape(names, sample, given) or shape) if shape.wrong else shape


def _flat_shape(names: tuple[str, ...], sample: Sequence[Row], given: Mapping[str, str]) -> Shape:
    plainly = {plain(name): name for name in reversed(names)}
    free = not set(NEEDED) & set(given)  # else the owner has said that these are pairs
    if free and "messages" in plainly:
        return _conversation_shape("messages", plainly["messages"], names, given)
    for key in ("conversations", "conversation", "dialogue", "dialog", "turns"):
        if free and key in plainly and _holds_turns(plainly[key], sample):
            return _conversation_shape("ShareGPT conversations", plainly[key], names, given)
    if free and _is_alpaca(plainly):
        return _alpaca_shape(plainly, names, sample, given)
    if free and "chosen" in plainly and "prompt" not in plainly and _holds_turns(plainly["chosen"], sample):
        return _conversation_shape("preferred conversations", plainly["chosen"], names, given)
    return _pairs_shape(names, given)


def _pairs_shape(names: tuple[str, ...], given: Mapping[str, str]) -> Shape:
    columns, wrong = meanings(names, given)
    question, answer = (next((n for n, m in columns.items() if m == needed), "") for needed in NEEDED)
    answers, notes = [answer], []
    for meaning, column in ((NEEDED[0], question), (NEEDED[1], answer)):
        others = [name for name in alike(column, names) if name not in columns]
        if others and meaning == "answer" and is_numbered(column, *others) and meaning not in given:
            answers += others
        elif others:
            listed = ", ".join(f"'{name}'" for name in others)
            notes.append(
                f"of the columns of one name '{column}' is read and not {listed}; to choose another: "
                f"--set corpus.columns='{meaning}={others[0]}'"
            )
    columns |= dict.fromkeys(answers, "answer") if answer else {}
    ignored = tuple(name for name in names if name not in columns and name.strip())
    plainly = (plain(question), plain(answer))
    name = "prompt and completion" if plainly == ("prompt", "completion") else "pairs"
    return Shape(
        name, columns, ignored, tuple(wrong), tuple(notes), read=lambda row: pair_of(row, question, answers)
    )


def _nested_shape(names: tuple[str, ...], sample: Sequence[Row], given: Mapping[str, str]) -> Shape | None:
    """The shape of rows that keep their pair in an object in one of their fields, if exactly one fits."""
    rows = [row for row in sample if tuple(row.value) == names]
    fitting = []
    for inside in names:
        held = next((row.value for row in rows if isinstance(row.value[inside], dict)), None)
        if held:
            lifted = [replace(row, value=_lifted(row.value, inside)) for row in rows]
            shape = _flat_shape(tuple(_lifted(held, inside)), lifted, given)
            note = f"the pairs are in the field '{inside}'"
            if not shape.wrong:
                fitting.append(replace(shape, inside=inside, notes=(*shape.notes, note)))
    return fitting[0] if len(fitting) == 1 else None


def _lifted(value: Mapping[str, Any], inside: str) -> dict[str, Any]:
    """The row with the fields of the object ``inside`` one of them for its own, before any of their names."""
    held = value.get(inside)
    rest = {name: one for name, one in value.items() if name != inside}
    return {**rest, **held} if isinstance(held, dict) else rest


def _too_long(conversations: Sequence[Turns]) -> Iterator[str]:
    """Texts beyond all measure: to look at them would take the memory and the time of thousands of rows."""
    for turns in conversations:
        for turn in turns:
            if len(turn["content"]) > LONGEST_TEXT:
                said = f"has {len(turn['content']):,} characters"
                yield f"a text of role '{turn['role']}' {said}, which no pair has; shorten it"


def _conversation_shape(name: str, column: str, names: Sequence[str], given: Mapping[str, str]) -> Shape:
    columns = {column: "messages"} | _optional_columns(names, given)
    # Our own records carry fields that mean more than a text.
    own = ("review", "parent", "rewording")
    unknown = [n for n in names if n not in columns and n not in own]
    slips = [
        f"unknown field '{n}'; did you mean '{near[0]}'?"
        for n in unknown
        if (
            near := difflib.get_close_matches(
                n, [f for f in Example.model_fields if f not in columns.values()], 1, 0.75
            )
        )
    ]
    columns |= {n: n for n in own if n in names}
    return Shape(name, columns, tuple(unknown), tuple(slips), read=lambda row: turns_of(row[column], column))


def _optional_columns(names: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    return {name: meaning for name, meaning in meanings(names, given)[0].items() if meaning in _OPTIONAL}


def _holds_turns(column: str, sample: Sequence[Row]) -> bool:
    held = next((row.value[column] for row in sample if row.value.get(column)), None)
    held = unfolded(held)
    return isinstance(held, list) and bool(held) and isinstance(held[0], dict)


def _is_alpaca(plainly: Mapping[str, str]) -> bool:
    return {"instruction", "input"} <= set(plainly) and bool({"output", "response"} & set(plainly))


def _alpaca_shape(
    plainly: Mapping[str, str], names: Sequence[str], sample: Sequence[Row], given_names: Mapping[str, str]
) -> Shape:
    """The instruction and its input make the question. An instruction that never changes while the inputs do
    is somebody's system prompt: ours takes its place."""
    instruction, given = plainly["instruction"], plainly["input"]
    answer = plainly["output"] if "output" in plainly else plainly["response"]
    rows = [row.value for row in sample if tuple(row.value) == tuple(names)]
    same = (
        len({str(row.get(instruction)) for row in rows}) == 1
        and len({str(row.get(given)) for row in rows}) > 1
    )
    columns = {given: "question", answer: "answer"} | ({} if same else {instruction: "question"})
    columns |= _optional_columns(names, given_names)
    notes = (
        f"'{instruction}' is the same in every row, so it is left out; our system prompt is used",
    ) * same

    def read(row: Mapping[str, Any]) -> tuple[list[Turns], list[str]]:
        parts = [row.get(given)] if same else [row.get(instruction), row.get(given)]
        texts = [part.strip() for part in parts if isinstance(part, str) and part.strip()]
        told = {instruction: "\n\n".join(texts), answer: row.get(answer)}
        return pair_of(told, instruction, [answer])

    ignored = tuple(n for n in names if n not in columns and n != instruction)
    return Shape("Alpaca", columns, ignored, notes=notes, read=read)


def _optional(row: Mapping[str, Any], shape: Shape) -> tuple[dict[str, Any], list[str]]:
    found: dict[str, Any] = {}
    wrong = []
    for name, meaning in shape.columns.items():
        value = row.get(name)
        if meaning in (*NEEDED, "messages") or is_missing(value):
            continue
        if meaning in ("id", "topic") and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(int(value) if value == value // 1 else value)
        if isinstance(value, str):
            if value.strip():
                found[meaning] = value.strip()
        else:
            wrong.append(f"{meaning} must be text, not {value!r:.40} (column '{name}')")
    return found, wrong


def _example(fields: Mapping[str, Any]) -> Example | list[str]:
    try:
        example = Example.model_validate(fields)
    except ValidationError as error:
        return [_explain(detail) for detail in error.errors()]
    wrong = []
    if not _LOCALE.fullmatch(example.locale):
        wrong.append(f"locale '{example.locale}' is not a language tag such as 'en' or 'en-GB'")
    if "~" in example.id and example.parent is None:
        wrong.append(f"id '{example.id}' has a '~', which marks our rewordings; choose another id")
    return wrong or example


def _explain(detail: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in detail["loc"]) or "record"
    shown = f" = {detail['input']!r:.60}" if isinstance(detail["input"], str | int | float | None) else ""
    return f"{place}{shown}: {detail['msg'].removeprefix('Value error, ')}"
