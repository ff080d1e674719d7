"""Question and answer of a row: a text each, or lists of them.

What is listed together belongs together: each question with each answer makes a pair. All of them share their
answers or their question, so they share a group, too, and the split never parts them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smallhours.corpus.columns import NAMES, plain
from smallhours.corpus.rows import is_missing
from smallhours.corpus.turns import SAID, Turns, turns_of, unfolded


def pair_of(row: Mapping[str, Any], question: str, answers: Sequence[str]) -> tuple[list[Turns], list[str]]:
    """One conversation for each question with each answer, and what is wrong with the row.

    A cell may hold a text, a list of texts or of objects with a text, or TRL's lists of messages. Of several
    columns of ``answers`` the empty ones are passed over, if one is filled.
    """
    asked, first = row.get(question), row.get(answers[0])
    if isinstance(asked, list) and isinstance(first, list) and asked and isinstance(asked[0], dict):
        return turns_of([*asked, *first], question)
    wrong: list[str] = []
    filled = [column for column in answers if _is_filled(row.get(column))] or list(answers[:1])
    said = [_text(one, "answer", column, wrong) for column in filled for one in _several(row.get(column))]
    openings = [_text(one, "question", question, wrong) for one in _several(asked)]
    if not _is_filled(asked) and any(said):
        wrong[-1] += "; if the one above it is meant, write it here, too"
    turns = [
        [{"role": "user", "content": opening}, {"role": "assistant", "content": text}]
        for opening in dict.fromkeys(openings)
        for text in dict.fromkeys(said)
    ]
    return turns, wrong


def _is_filled(value: Any) -> bool:
    """Neither missing nor a blank."""
    return not is_missing(value) and not (isinstance(value, str) and not value.strip())


def _several(value: Any) -> list[Any]:
    """The texts of a cell: those that it lists, whether as a list, in an object, or written out as one."""
    held = unfolded(value)
    if isinstance(held, Mapping):
        held = _inner_text(held)
    listed = isinstance(held, list) and held and all(isinstance(one, str | Mapping) for one in held)
    return [_inner_text(one) for one in held] if listed else [held if isinstance(value, Mapping) else value]


def _inner_text(value: Any) -> Any:
    """The text of an answer that comes as an object with its votes and dates around it."""
    if isinstance(value, Mapping):
        return next((value[name] for name in value if plain(name) in NAMES["answer"] or name in SAID), value)
    return value


def _text(value: Any, meaning: str, column: str, wrong: list[str]) -> str:
    if is_missing(value):
        value = ""
    if not isinstance(value, str):
        wrong.append(f"{meaning} must be text, not {value!r:.40}; write it out in words (column '{column}')")
        return ""
    if not value.strip():
        wrong.append(f"{meaning} is empty; every pair needs one (column '{column}')")
    return value.strip()
