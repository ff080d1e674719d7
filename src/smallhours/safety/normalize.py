"""Characters: one plain spelling for each, with the way back to the original text.

``fold`` undoes what Unicode makes possible: full-width and styled letters, accents, invisible and
direction marks, curly quotes, letters of one script that stand in for those of another. It works
character by character, so that any offset in the folded text leads back to the original.

Not seen: look-alikes outside the small table in ``data/lexicon/confusables.toml``, upside-down text,
text inside images.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

_KEPT_CONTROLS = "\n\t"
_COMBINING = range(0x0300, 0x0370)
_ARABIC_MARKS = range(0x064B, 0x0660)
_OTHER_MARKS = (0x0640, 0x0670, 0x093C)  # tatweel, dagger alef, nukta: people leave them out
_VARIATION = range(0xFE00, 0xFE10)
_STYLED = ((0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))  # squared, circled and flag letters


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text; ``origin[i]`` is the index in the original of the folded character ``i``."""

    text: str
    origin: Sequence[int]
    length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original ``[start, end)`` of a stretch of the folded text."""
        if start >= end:
            return (self.length, self.length)
        return (self.origin[start], self.origin[end - 1] + 1)


@cache
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    raw = (files("smallhours.safety") / "data/lexicon/confusables.toml").read_text("utf-8")
    data = tomllib.loads(raw)
    always: dict[str, str] = dict(data["always"])
    lookalikes: dict[str, str] = {there: here for here, row in data["lookalikes"].items() for there in row}
    return always, lookalikes


def lookalikes() -> dict[str, str]:
    """Letters of other scripts that pass for a Latin letter; only used inside mixed words."""
    return _tables()[1]


def _is_dropped(ch: str) -> bool:
    point = ord(ch)
    if point in _COMBINING or point in _ARABIC_MARKS or point in _OTHER_MARKS:
        return True
    if point in _VARIATION:
        return True
    kind = unicodedata.category(ch)
    return kind in ("Cf", "Me", "Cs", "Cn") or (kind == "Cc" and not ch.isspace())


@lru_cache(maxsize=1 << 16)
def _fold_char(ch: str) -> str:
    always, _ = _tables()
    if ch in always:
        return always[ch]
    if ch in _KEPT_CONTROLS:
        return ch
    if _is_dropped(ch):
        return ""
    if ch.isspace():
        return "\n" if ch in "\r\x0b\x0c\x85\u2028\u2029" else " "
    for first, count in _STYLED:
        if first <= ord(ch) < first + count:
            return chr(ord("a") + ord(ch) - first)
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", ch).casefold())
    kept = "".join(c for c in spread if not _is_dropped(c))
    return "".join(always.get(c, c) for c in unicodedata.normalize("NFC", kept))


def fold(text: str) -> Folded:
    """Fold any text, in time linear in its length; never an error."""
    if text.isascii() and text.isprintable():
        return Folded(text.lower(), range(len(text)), len(text))
    pieces: list[str] = []
    origin: list[int] = []
    for index, ch in enumerate(text):
        folded = _fold_char(ch)
        pieces.append(folded)
        if len(folded) == 1:
            origin.append(index)
        else:
            origin.extend([index] * len(folded))
    return Folded("".join(pieces), origin, len(text))
