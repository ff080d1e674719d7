"""The lines of a text file, in bounded memory: nobody's pair is as long as a line that fills it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

LONGEST_LINE = 1 << 22  # characters
LONGEST_TEXT = 1 << 20  # characters of one cell or message
TOO_LONG = f"is longer than {LONGEST_LINE:,} characters, which no pair is; take it out, or break it up"


def lines_of(path: Path, codec: str, newline: str = "") -> Iterator[str | None]:
    """Line after line with its end, None in place of one that is too long; ``newline`` as for ``open``."""
    with path.open(encoding=codec, newline=newline) as stream:
        while line := stream.readline(LONGEST_LINE):
            if len(line) < LONGEST_LINE or line.endswith(("\n", "\r")):
                yield line
            else:
                _skip(stream)
                yield None


def _skip(stream: TextIO) -> None:
    """The rest of a line, a piece at a time."""
    while (piece := stream.readline(LONGEST_LINE)) and not piece.endswith(("\n", "\r")):
        pass


def beginning(path: Path, codec: str, characters: int) -> str:
    """The first characters, from the first line on that holds something; empty if none does."""
    with path.open(encoding=codec, newline="") as stream:
        while piece := stream.read(characters):
            if kept := piece.lstrip():
                return kept + stream.read(characters - len(kept))
    return ""
