"""What the columns of a pairs file are called, and what they mean."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

NAMES = {
    "question": ("question", "q", "prompt", "input", "instruction", "query"),
    "answer": ("answer", "a", "completion", "output", "response", "reply"),
    "id": ("id",),
    "topic": ("topic", "category"),
    "locale": ("locale", "language", "lang"),
    "source": ("source",),
    "author": ("author",),
    "licence": ("licence", "license"),
}
_MEANING = {name: column for column, names in NAMES.items() for name in names}


def meanings(header: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The meaning of each column that has one, and what is wrong with the header.

    A column of another name is the owner's own and is left alone, unless it looks like a slip.
    """
    columns: dict[str, str] = {}
    wrong = []
    for name in header:
        meaning = _MEANING.get(name.strip().casefold())
        if meaning is None:
            near = difflib.get_close_matches(
                name.strip().casefold(), [n for n in _MEANING if len(n) > 2], 1, 0.8
            )
            if near:
                wrong.append(f"unknown column '{name}'; did you mean '{near[0]}'?")
        elif meaning in columns.values():
            earlier = next(n for n, m in columns.items() if m == meaning)
            wrong.append(f"columns '{earlier}' and '{name}' both name the {meaning}; rename or remove one")
        else:
            columns[name] = meaning
    for needed in ("question", "answer"):
        if needed not in columns.values():
            listed = ", ".join(f"'{name}'" for name in header) or "none"
            wrong.append(f"there is no column '{needed}'; columns found: {listed}")
    return columns, wrong
