"""Which convention a file follows, and how a row of it becomes an example.

Known are pairs (a question column and an answer column, whatever they are called), ``messages`` (OpenAI,
TRL), ``conversations`` (ShareGPT), instruction/input/output (Alpaca) and prompt/completion in both its forms.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from smallhours.corpus.columns import NAMES, NEEDED, meanings, plain
from smallhours.corpus.tables import Fault, Row
from smallhours.domain.records import Example

# BCP 47 as far as the field uses it: language, perhaps script, perhaps region.
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?")
_ROLES = {
    **dict.fromkeys(("user", "human", "client", "patient", "prompter", "person"), "user"),
    **dict.fromkeys(
        ("assistant", "gpt", "bot", "chatbot", "model", "ai", "therapist", "counselor"), "assistant"
    ),
    **dict.fromkeys(("system", "developer"), "system"),
}
_SPEAKER = ("role", "from", "speaker")
_SAID = ("content", "value", "text")
_OPTIONAL = tuple(meaning for meaning in NAMES if meaning not in NEEDED)


@dataclass(frozen=True, slots=True)
class Found:
    """An example and the place it was read from; ``named`` if its id came from the file."""

    place: str
    example: Example
    named: bool = False


Turns = list[dict[str, Any]]
Reader = Callable[[Mapping[str, Any]], tuple[list[Turns], list[str]]]


@dataclass
class Shape:
    """How the rows with one set of fields are read. ``columns`` maps field names to meanings."""

    name: str
    columns: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    read: Reader = lambda row: ([], [])


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
        conversations, wrong = ([], list(shape.wrong)) if shape.wrong else shape.read(row.value)
        optional, more = _optional(row.value, shape)
        wrong = [*wrong, *more]
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
    plainly = {plain(name): name for name in reversed(names)}
    if not given and "messages" in plainly:
        return _conversation_shape("messages", plainly["messages"], names)
    for key in ("conversations", "conversation", "dialogue", "dialog", "turns"):
        if not given and key in plainly and _holds_turns(plainly[key], sample):
            return _conversation_shape("ShareGPT conversations", plainly[key], names)
    if not given and _is_alpaca(plainly):
        return _alpaca_shape(plainly, names, sample)
    columns, wrong = meanings(names, given)
    question, answer = (next((n for n, m in columns.items() if m == needed), "") for needed in NEEDED)
    ignored = tuple(name for name in names if name not in columns and name.strip())
    name = (
        "prompt and completion" if (plain(question), plain(answer)) == ("prompt", "completion") else "pairs"
    )
    return Shape(name, columns, ignored, tuple(wrong), read=lambda row: _pair(row, question, answer))


def _conversation_shape(name: str, column: str, names: Sequence[str]) -> Shape:
    columns = {column: "messages"} | {n: m for n, m in _known(names).items() if m in _OPTIONAL}
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
    return Shape(name, columns, tuple(unknown), tuple(slips), read=lambda row: _turns_of(row[column], column))


def _known(names: Sequence[str]) -> dict[str, str]:
    return meanings(names)[0]


def _holds_turns(column: str, sample: Sequence[Row]) -> bool:
    held = next((row.value[column] for row in sample if row.value.get(column)), None)
    return isinstance(held, list) and isinstance(held[0], dict)


def _is_alpaca(plainly: Mapping[str, str]) -> bool:
    return {"instruction", "input"} <= set(plainly) and bool({"output", "response"} & set(plainly))


def _alpaca_shape(plainly: Mapping[str, str], names: Sequence[str], sample: Sequence[Row]) -> Shape:
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
    columns |= {n: m for n, m in _known(names).items() if m in _OPTIONAL}
    notes = (
        f"'{instruction}' is the same in every row, so it is left out; our system prompt is used",
    ) * same

    def read(row: Mapping[str, Any]) -> tuple[list[Turns], list[str]]:
        parts = [row.get(given)] if same else [row.get(instruction), row.get(given)]
        texts = [part.strip() for part in parts if isinstance(part, str) and part.strip()]
        return _pair(
            {"question": "\n\n".join(texts), "answer": row.get(answer)},
            "question",
            "answer",
            instruction,
            answer,
        )

    ignored = tuple(n for n in names if n not in columns and n != instruction)
    return Shape("Alpaca", columns, ignored, notes=notes, read=read)


def _pair(
    row: Mapping[str, Any], question: str, answer: str, question_name: str = "", answer_name: str = ""
) -> tuple[list[Turns], list[str]]:
    """One conversation for each answer: a cell may hold a list of them, or TRL's lists of messages."""
    asked, answers = row.get(question), row.get(answer)
    if isinstance(asked, list) and isinstance(answers, list) and asked and isinstance(asked[0], dict):
        return _turns_of([*asked, *answers], question)
    wrong: list[str] = []
    opening = _text(asked, "question", question_name or question, wrong)
    several = answers if isinstance(answers, list) and answers else [answers]
    texts = [_text(_inner_text(one), "answer", answer_name or answer, wrong) for one in several]
    turns = [
        [{"role": "user", "content": opening}, {"role": "assistant", "content": text}]
        for text in dict.fromkeys(texts)
    ]
    return turns, wrong


def _inner_text(value: Any) -> Any:
    """The text of an answer that comes as an object with its votes and dates around it."""
    if isinstance(value, dict):
        return next(
            (value[name] for name in value if _known([name]).get(name) == "answer" or name in _SAID), value
        )
    return value


def _text(value: Any, meaning: str, column: str, wrong: list[str]) -> str:
    if value is None:
        value = ""
    if not isinstance(value, str):
        wrong.append(f"{meaning} must be text, not {value!r:.40} (column '{column}')")
        return ""
    if not value.strip():
        wrong.append(f"{meaning} is empty; every pair needs one (column '{column}')")
    return value.strip()


def _turns_of(value: Any, column: str) -> tuple[list[Turns], list[str]]:
    """One conversation, up to its last answer: what the person says after it has none to learn."""
    if not isinstance(value, list) or not value:
        return [], [f"{column} = {value!r:.60}: must be a list of turns that ends with an answer"]
    turns, wrong = [], []
    for position, turn in enumerate(value):
        place = f"{column}.{position}"
        if not isinstance(turn, Mapping):
            wrong.append(f"{place} = {turn!r:.60}: must be an object with a role and a content")
            continue
        speaker = next((turn[key] for key in _SPEAKER if key in turn), None)
        said = next((turn[key] for key in _SAID if key in turn), None)
        role = _ROLES.get(str(speaker).strip().casefold())
        if role is None:
            wrong.append(f"{place}.role = {speaker!r:.40}: must be one of {', '.join(_ROLES)}")
        elif not isinstance(said, str):
            wrong.append(f"{place}.content = {said!r:.40}: must be text")
        elif not said.strip():
            wrong.append(f"{place}.content is empty; remove the message or fill it")
        else:
            weight = {"weight": turn["weight"]} if "weight" in turn else {}
            turns.append({"role": role, "content": said.strip(), **weight})
    if wrong:
        return [], wrong
    while turns and turns[-1]["role"] != "assistant":
        turns.pop()
    if not turns or not any(turn["role"] == "user" for turn in turns):
        return [], [f"{column}: no answer (role 'assistant') follows a question (role 'user')"]
    return [turns], []


def _optional(row: Mapping[str, Any], shape: Shape) -> tuple[dict[str, Any], list[str]]:
    found: dict[str, Any] = {}
    wrong = []
    for name, meaning in shape.columns.items():
        value = row.get(name)
        if meaning in (*NEEDED, "messages") or value is None or value == "":
            continue
        if meaning in ("id", "topic") and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str):
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
