"""Kinds of values in settings, and how what flags and variables say becomes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

MEANINGS = ("question", "answer", "id", "topic", "locale", "source", "author", "licence", "group")


def _columns(value: object) -> object:
    """``question=Frage,answer=Antwort``, as flags and variables have it, to a mapping."""
    pairs = value
    if isinstance(value, str):
        split = [part.partition("=") for part in value.split(",") if part.strip()]
        if not all(name.strip() and mark for name, mark, _ in split):
            raise ValueError("write it as question=NAME,answer=NAME")
        pairs = {name.strip(): column.strip() for name, _, column in split}
    if isinstance(pairs, dict) and set(pairs) - set(MEANINGS):
        raise ValueError(f"a column can be: {', '.join(MEANINGS)}")
    return pairs


Data = Annotated[str | None, BeforeValidator(lambda given: str(given) if isinstance(given, Path) else given)]
Columns = Annotated[dict[str, str], BeforeValidator(_columns)]
Cosine = Annotated[float, Field(ge=-1, le=1)]
