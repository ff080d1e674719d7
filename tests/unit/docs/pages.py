"""The pages, and what stands in them: blocks of code, inline code, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
# The README is a page, too; the log tells what was typed then, not what is to be typed today.
PAGES = [ROOT / "README.md", *sorted(p for p in DOCS.rglob("*.md") if p.name != "log.md")]

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_BREAKS = {"|", "||", "&&", ";", "&"}


@dataclass(frozen=True)
class Command:
    """A command as a page tells its reader to type it."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """The blocks of code in one of ``languages``; a block without one has the language ''."""
    for _, language, body in _FENCE.findall(page.read_text(encoding="utf-8")):
        if language in languages:
            yield body


def inline_code(page: Path) -> list[str]:
    """What stands between single back-ticks."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", _FENCE.sub("", page.read_text(encoding="utf-8")))


def commands(page: Path) -> Iterator[Command]:
    """Every simple command in a shell's blocks; of what a terminal showed, the lines after '$'."""
    name = str(page.relative_to(ROOT))
    for body in blocks(page, "", "sh", "bash", "console"):
        lines = body.replace("\\\n", " ").splitlines()
        typed = [line.strip().removeprefix("$ ") for line in lines if line.strip().startswith("$ ")] or lines
        for line in typed:
            yield from (Command(name, words) for words in _simple(line))


def _simple(line: str) -> Iterator[tuple[str, ...]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # a quotation that goes on in the next line: no command of ours
        return
    start = 0
    for at, word in enumerate([*words, ";"]):
        if word in _BREAKS:
            if words[start:at]:
                yield tuple(words[start:at])
            start = at + 1
