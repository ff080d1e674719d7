"""Spelling: one written word to the plain words that the lexicons use.

``plain`` only looks words up (the phrases of the lexicons go through it); ``Speller.words`` also
repairs, and accepts a repair only when it ends in a word of the lexicons.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from smallhours.safety.normalize import lookalikes

_RUN = re.compile(r"(.)\1{2,}")
_SIGNS = re.compile(r"[$@!|*#'+]+")
_LEET = str.maketrans("013457@$!|+8", "oieastasiitb")
_LEET_L = str.maketrans("013457@$!|+8", "oleastaslltb")
_SUFFIXES = (("n't", "not"), ("'ll", "will"), ("'re", "are"), ("'ve", "have"), ("'m", "am"))
_LONGEST = 16  # letters of a word that is looked for in glued or spelled-out text
_LEFT_OVER = 4  # what a letter without a word costs, in words


@dataclass(frozen=True, slots=True)
class Table:
    """The spelling file: chat words, censored words, words worth repairing, glue."""

    words: Mapping[str, tuple[str, ...]]
    pairs: Mapping[tuple[str, str], tuple[str, ...]]
    repaired: frozenset[str]
    anchors: tuple[str, ...]


@cache
def table() -> Table:
    """``data/lexicon/spelling.toml``, read once."""
    raw = (files("smallhours.safety") / "data/lexicon/spelling.toml").read_text("utf-8")
    data = tomllib.loads(raw)
    words = {k: tuple(v.split()) for k, v in data["words"].items()}
    pairs = {}
    for key, value in data["pairs"].items():
        first, second = key.split()
        pairs[first, second] = tuple(value.split())
    for word in data["rejoined"]:
        for cut in range(1, len(word)):
            pairs[word[:cut], word[cut:]] = (word,)
    return Table(words, pairs, frozenset(data["repaired"]), tuple(data["anchors"]))


def plain(word: str) -> tuple[str, ...]:
    """A folded word without apostrophes and chat spelling: ``don't`` is ``do not``."""
    known = table().words.get(word)
    if known is not None:
        return known
    if "'" not in word:
        return (word,)
    known = table().words.get(word.replace("'", ""))
    if known is not None:
        return known
    for suffix, expansion in _SUFFIXES:
        if word.endswith(suffix) and len(word) > len(suffix):
            return (*plain(word.removesuffix(suffix)), expansion)
    if word.endswith("'s") and len(word) > 3:
        return (word[:-2], "is")
    return tuple(part for part in word.split("'") if part)


def _cut_runs(word: str, counts: Sequence[int]) -> str:
    left = iter(counts)
    return _RUN.sub(lambda m: m.group(1) * next(left), word)


def _deletions(word: str) -> Iterator[str]:
    yield word
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]


class Speller:
    """Repairs words towards ``vocabulary``, the words that the lexicons use."""

    def __init__(self, vocabulary: frozenset[str]) -> None:
        self._known = vocabulary | set(table().words)
        self._pieces = {word for word in self._known if len(word) > 1} | {"i", "a"}
        self.pairs = table().pairs
        self.firsts = frozenset(first for first, _ in self.pairs)
        # One slip (a letter lost, added, swapped or wrong) leaves two words one deletion apart.
        self._slips = {d: w for w in sorted(table().repaired) for d in _deletions(w)}
        self._censored = sorted(table().repaired)
        self.words = lru_cache(maxsize=1 << 16)(self._words)

    def _words(self, written: str) -> tuple[str, ...]:
        """The plain words of one written word."""
        word = written
        if not word.isascii():
            word = self._one_script(word)
        if word in self._known:
            return plain(word)
        if not word.isalpha() and word.isascii():
            found = self._unleet(word)
            if found:
                return plain(found)
            if not word.isalnum():
                if "'" in word and not _SIGNS.search(word.replace("'", "")):
                    return tuple(w for part in plain(word) for w in self._repair(part))
                return tuple(w for p in _SIGNS.split(word) if p for w in self._repair(p))
        return self._repair(word)

    def _repair(self, word: str) -> tuple[str, ...]:
        if word in self._known:
            return plain(word)
        for candidate in self._shortened(word):
            if candidate in self._known:
                return plain(candidate)
        if 6 <= len(word) <= 14:
            for deletion in _deletions(word):
                if deletion in self._slips:
                    return (self._slips[deletion],)
        if 8 <= len(word) <= 64 and any(anchor in word for anchor in table().anchors):
            return tuple(self.segment(word)) or (word,)
        return (word,)

    @staticmethod
    def _one_script(word: str) -> str:
        """A word that mixes Latin with look-alikes, all in Latin."""
        if not any("a" <= c <= "z" for c in word):
            return word
        return "".join(lookalikes().get(c, c) for c in word)

    def _unleet(self, word: str) -> str | None:
        """``k1ll`` and ``su*cide`` as words, or nothing when no known word comes out."""
        if not any(c.isalpha() for c in word):
            return None
        for letters in (_LEET, _LEET_L):
            candidate = word.translate(letters)
            for form in (candidate, *self._shortened(candidate)):
                if form in self._known:
                    return form
        if "*" in word or "#" in word:
            pattern = re.sub(r"[*#]+", "*", word)
            return next((w for w in self._censored if fnmatch.fnmatchcase(w, pattern)), None)
        return None

    @staticmethod
    def _shortened(word: str) -> Iterator[str]:
        """The word with drawn-out letters cut to two or one: ``diiiie``, ``killll``, ``myselff``."""
        runs = _RUN.findall(word)
        if 0 < len(runs) <= 4:
            for counts in itertools.product((2, 1), repeat=len(runs)):
                yield _cut_runs(word, counts)
        if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
            yield word[:-1]

    def segment(self, letters: str) -> list[str]:
        """Glued words taken apart; empty unless known words cover all the letters."""
        parts = self._parts(letters)
        if not all(part in self._pieces for part in parts):
            return []
        return [word for part in parts for word in plain(part)]

    def spelled(self, letters: str) -> list[tuple[int, tuple[str, ...]]]:
        """What spelled-out letters spell: for each part its length in letters and its words."""
        return [(len(part), plain(part)) for part in self._parts(letters)]

    def _parts(self, letters: str) -> list[str]:
        """The split into the fewest known words, with letters left over where none fits."""
        costs, starts = [0], [0]
        for end in range(1, len(letters) + 1):
            best = (costs[end - 1] + _LEFT_OVER, end - 1)
            for start in range(max(0, end - _LONGEST), end):
                if costs[start] + 1 < best[0] and letters[start:end] in self._pieces:
                    best = (costs[start] + 1, start)
            costs.append(best[0])
            starts.append(best[1])
        parts: list[str] = []
        at = len(letters)
        while at:
            parts.append(letters[starts[at] : at])
            at = starts[at]
        return parts[::-1]
