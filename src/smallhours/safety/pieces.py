"""How the learned parts of the screen read a text: its plain spelling, its pieces, the letters of words."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from smallhours.safety.romanize import romanized

Span = tuple[int, int]

_SENTENCE = re.compile(r"[^.!?…;\n。！？।॥]*[^.!?…;\n。！？।॥\s][^.!?…;\n。！？।॥]*")
_WORD = re.compile(r"\S+")
UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
_SHORT = 3  # words
_WINDOW = 800  # characters of a stretch of whole sentences
_LONG_SENTENCE = 36  # words; longer sentences are also read in parts
_PART, _STEP = 24, 12  # words
_MOST = 12_000  # characters read: the first and the last half of this
_EDGES = " \t\r\n\"'“”‘’«»()[]{}.,;:!?…-–—*_~#>"
_STRAIGHT = str.maketrans("’‘“”`´", "''\"\"''")


def is_short(text: str) -> bool:
    """Fewer than three words, in a script that separates words."""
    return text.isascii() and len(text.split()) < _SHORT


def plain(text: str) -> str:
    """The spelling the encoder sees: look-alikes are alike, capitals small, Hindi in Latin letters."""
    folded = romanized(unicodedata.normalize("NFKC", text).translate(_STRAIGHT).lower())
    kept = "".join(ch for ch in folded if unicodedata.category(ch) not in ("Cf", "Cs", "Cn", "Co"))
    return " ".join(kept.split()).strip(_EDGES)


def ends(text: str) -> str:
    """The text, or the first and the last half of what is read of a very long one."""
    return text if len(text) <= _MOST else f"{text[: _MOST // 2]} {text[-_MOST // 2 :]}"


class Piece(NamedTuple):
    """``[start, end)`` of a text; a ``part`` is a sentence or less, torn from what stands around it."""

    start: int
    end: int
    part: bool


def pieces(text: str) -> list[Piece]:
    """What is read of a text: stretches of whole sentences, and the parts they consist of."""
    if len(text) > _MOST:
        half, tail = _MOST // 2, len(text) - _MOST // 2
        later = [Piece(p.start + tail, p.end + tail, p.part) for p in _pieces(text[tail:])]
        return _pieces(text[:half]) + later
    return _pieces(text)


def _pieces(text: str) -> list[Piece]:
    sentences = [m.span() for m in _SENTENCE.finditer(text)]
    found = dict.fromkeys(_stretches(sentences), False)
    for start, end in sentences:
        if end - start <= _WINDOW:
            found.setdefault((start, end), True)
        words = [m.span() for m in _WORD.finditer(text, start, end)]
        if len(words) > _LONG_SENTENCE:
            for at in range(0, len(words) - _PART + _STEP, _STEP):
                part = words[at : at + _PART]
                found.setdefault((part[0][0], part[-1][1]), True)
        elif end - start > _WINDOW:  # few words, many characters: scripts without spaces
            for at in range(start, end, _WINDOW // 4):
                found.setdefault((at, min(end, at + _WINDOW // 2)), False)
    return [Piece(*span, part) for span, part in found.items()]


def _stretches(sentences: Sequence[Span]) -> list[Span]:
    """Neighbouring sentences together, as many as fit in a window."""
    found: list[Span] = []
    for start, end in sentences:
        if found and end - found[-1][0] <= _WINDOW:
            found[-1] = (found[-1][0], end)
        elif end - start <= _WINDOW:
            found.append((start, end))
    return found


def readable(text: str) -> dict[str, Piece]:
    """The pieces of a text that say anything, by what the encoder sees; each wording once."""
    found: dict[str, Piece] = {}
    for piece in pieces(text):
        said = plain(text[piece.start : piece.end])
        if piece.part and is_short(said):
            continue  # a "yes" torn from its sentence says nothing
        if said and (said not in found or not piece.part):
            found[said] = piece
    return found


def grams(piece: str, buckets: int) -> list[int]:
    """The buckets of the runs of three to five letters inside the words of a piece of plain text.

    Scripts without spaces say in one or two signs what others say in a word, so there shorter runs count,
    too.
    """
    found: set[int] = set()
    for word in set(piece.split()):
        found.update(hashed % buckets for hashed in _runs(word.strip(_EDGES)))
    return sorted(found)


@lru_cache(maxsize=20_000)
def _runs(word: str) -> tuple[int, ...]:
    padded = f" {word} "
    sizes = (1, 2, 3, 4) if UNSPACED.search(word) else (3, 4, 5)
    runs = {padded[at : at + size] for size in sizes for at in range(len(padded) - size + 1)}
    return tuple(zlib.crc32(run.encode("utf-8", "replace")) for run in runs if run.strip())
