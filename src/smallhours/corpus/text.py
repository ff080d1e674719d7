"""How the corpus looks at a text: its words, and when two wordings count as the same."""

from __future__ import annotations

import re

from smallhours.domain.records import Example

_APOSTROPHES = re.compile("['’‘ʼ]")
# Letters, digits, and the vowel signs that Indic, Arabic, Hebrew and Thai words are written with.
_SIGNS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e"
)
_WORD = re.compile(f"[\\w{_SIGNS}]+")
# Chinese, Japanese, Thai, Lao, Burmese and Khmer are written without spaces.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def count_words(text: str) -> int:
    """Words as a reader counts them: runs without spaces. Where a script has none, two letters make one."""
    unspaced = 0 if text.isascii() else len(_UNSPACED.findall(text))
    return max(len(text.split()), unspaced // 2)


def cut(line: str, longest: int) -> str:
    """At most so many characters of it, the last of them an ellipsis where something is left out."""
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def wording(text: str) -> str:
    """The text's bare words; case, punctuation and apostrophes make no different wording."""
    return " ".join(_WORD.findall(_APOSTROPHES.sub("", text).casefold()))


def asked(example: Example) -> str:
    """The wording of all that the person said, so that a bare "why?" counts with what led to it."""
    return " / ".join(wording(text) for text in example.prompt.user_texts)
