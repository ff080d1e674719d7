"""Hindi in Latin letters, as people type it on phones: what is learned from one spelling holds for both.

The sentence encoder has no Devanagari letters in its vocabulary; in Latin ones it has pieces of words. The
letters are those of everyday typing, without marks ("nahi", "zindagi"), not those of ISO 15919. An unwritten
vowel is left out at the end of a word, and between consonants that have vowels on both sides (M. Ohala 1983,
Aspects of Hindi Phonology).

Not seen: everybody's own spelling, and Marathi or Nepali, which keep more of the unwritten vowels.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile("[\u0900-\u0963\u0966-\u097f]+")
_CONSONANTS = {
    "क": "k", "ख": "kh", "ग": "g", "घ": "gh", "ङ": "n", "च": "ch", "छ": "chh", "ज": "j", "झ": "jh",
    "ञ": "n", "ट": "t", "ठ": "th", "ड": "d", "ढ": "dh", "ण": "n", "त": "t", "थ": "th", "द": "d",
    "ध": "dh", "न": "n", "प": "p", "फ": "ph", "ब": "b", "भ": "bh", "म": "m", "य": "y", "र": "r",
    "ल": "l", "व": "v", "श": "sh", "ष": "sh", "स": "s", "ह": "h",
}  # fmt: skip
_DOTTED = {"क": "k", "ख": "kh", "ग": "g", "ज": "z", "ड": "r", "ढ": "rh", "फ": "f"}
_VOWELS = {
    "अ": "a", "आ": "a", "इ": "i", "ई": "i", "उ": "u", "ऊ": "u", "ए": "e", "ऐ": "ai", "ओ": "o",
    "औ": "au", "ऑ": "o", "ऋ": "ri", "ऍ": "e",
}  # fmt: skip
_SIGNS = {
    "ा": "a", "ि": "i", "ी": "i", "ु": "u", "ू": "u", "े": "e", "ै": "ai", "ो": "o", "ौ": "au",
    "ॉ": "o", "ृ": "ri", "ॅ": "e",
}  # fmt: skip
_DOT, _SILENT, _NASALS = "़", "्", "ंँ"
_DIGITS = {ord("०") + number: str(number) for number in range(10)}
_UNWRITTEN, _NASAL = "ə", "~"
_SPOKEN = frozenset([*_VOWELS.values(), _UNWRITTEN])  # all vowels
_LABIALS = ("p", "b", "m", "f")


def romanized(text: str) -> str:
    """The text with its Devanagari words in small Latin letters; all else as it was."""
    return _WORD.sub(lambda found: _word(found.group()), text)


@lru_cache(maxsize=1 << 14)
def _word(word: str) -> str:
    return "".join(_with_nasals(_without_unwritten(_sounds(word))))


def _sounds(word: str) -> list[str]:
    found: list[str] = []
    for before, ch in zip(" " + word, word, strict=False):
        if ch in _CONSONANTS:
            found += [_CONSONANTS[ch], _UNWRITTEN]
        elif ch == _DOT:
            found[-2:] = [_DOTTED[before], _UNWRITTEN] if before in _DOTTED else found[-2:]
        elif ch in _SIGNS or ch == _SILENT:
            if found and found[-1] == _UNWRITTEN:
                found.pop()
            found += [_SIGNS[ch]] if ch in _SIGNS else []
        elif ch in _NASALS:
            found.append(_NASAL)
        else:
            found += [_VOWELS[ch]] if ch in _VOWELS else [ch.translate(_DIGITS)] if ch.isdigit() else []
    return found


def _without_unwritten(sounds: list[str]) -> list[str]:
    if len(sounds) > 2 and sounds[-1] == _UNWRITTEN:
        sounds = sounds[:-1]
    for at in range(len(sounds) - 3, 1, -1):
        around = sounds[at - 2], sounds[at - 1], sounds[at + 1], sounds[at + 2]
        if sounds[at] == _UNWRITTEN and [sound in _SPOKEN for sound in around] == [True, False, False, True]:
            sounds = sounds[:at] + sounds[at + 1 :]
    return ["a" if sound == _UNWRITTEN else sound for sound in sounds]


def _with_nasals(sounds: list[str]) -> list[str]:
    found = []
    for at, sound in enumerate(sounds):
        if sound != _NASAL:
            found.append(sound)
        elif at + 1 < len(sounds):
            found.append("m" if sounds[at + 1].startswith(_LABIALS) else "n")
        elif at and sounds[at - 1] not in ("i", "u"):  # nahi and hu, but main, mein and haan
            found.append("n")
    return found
