"""Words: the folded text as plain words in one spelling, with the way back to the original text.

Undoes what people (and evaders) do to words: contractions and chat spelling, digits and signs for
letters ("k1ll", "su*cide"), letters drawn out or spaced out ("diiie", "k i l l"), words glued together
("#iwanttodie"), slips in a few long words. Every repair must end in a word that the lexicons know:
"24h", "mp3" and "covid19" stay as they are.

The end of a sentence is the word ``BOUNDARY``; a text begins and ends with one. Chinese characters
and kana are a word each.

Not seen: words in reverse, ciphers, rhyming slang, slips in short words that the table does not list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from smallhours.safety.automaton import BOUNDARY
from smallhours.safety.lexicon import vocabulary
from smallhours.safety.normalize import Folded, fold
from smallhours.safety.spelling import Speller

_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LETTER = rf"(?:[^\W_{_CJK}]|[\u0900-\u0963\u0966-\u0e7f])"
# No piece is longer than 64 characters, so that no repair ever works on a very long one.
_PIECE = re.compile(
    rf"[{_CJK}]|(?:[$@](?={_LETTER}))?{_LETTER}{{1,48}}(?:[$@!|*#'+]{{1,8}}{_LETTER}{{1,24}}){{0,4}}"
)
_ENDS = re.compile(r"[.?!…;:\n。！？؟।॥]")
_SPELLED_OUT = frozenset(" .-_*/,·~|:•\n")
_QUOTED = re.compile(r"\"[^\"\n]{1,300}\"|(?<!\w)'[^'\n]{2,200}'(?!\w)")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text, where each stands in the original, and which stretches are in quotes."""

    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    quoted: tuple[tuple[int, int], ...]

    def in_quotes(self, start: int, end: int) -> bool:
        """Whether the original ``[start, end)`` lies inside one pair of quotation marks."""
        return any(a <= start and end <= b for a, b in self.quoted)


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    start: int
    end: int


def _spelled_out(pieces: Sequence[_Piece], at: int, text: str, spell: Speller) -> tuple[int, list[str]]:
    """The words of a run of single letters that begins at ``at``, and where the run ends."""
    end = at + 1
    while end < len(pieces) and len(pieces[end].text) == 1 and pieces[end].text.isalnum():
        gap = text[pieces[end - 1].end : pieces[end].start]
        if len(gap) > 6 or not _SPELLED_OUT.issuperset(gap) or end - at > 80:
            break
        end += 1
    if end - at < 3:
        return at, []
    gaps = [pieces[i + 1].start - pieces[i].end for i in range(at, end - 1)]
    words, current, narrow = [], pieces[at].text, min(gaps)
    for gap, piece in zip(gaps, pieces[at + 1 : end], strict=True):
        if gap > narrow:
            words.append(current)
            current = ""
        current += piece.text
    words.append(current)
    found: list[str] = []
    for word in words:
        parts = spell.segment(word)
        if not parts:
            return at, []
        found.extend(parts)
    return (end, found) if any(len(w) > 2 for w in found) else (at, [])


def _tokens(folded: Folded, spell: Speller) -> Iterator[tuple[str, int, int]]:
    """Words and boundaries with their place in the folded text."""
    text = folded.text
    pieces = [_Piece(m.group(), m.start(), m.end()) for m in _PIECE.finditer(text)]
    at, last = 0, 0
    while at < len(pieces):
        piece = pieces[at]
        if piece.start > last:
            mark = _ENDS.search(text, last, piece.start)
            if mark:
                yield BOUNDARY, mark.start(), mark.end()
        if len(piece.text) == 1 and piece.text.isascii():
            end, words = _spelled_out(pieces, at, text, spell)
            if words:
                last = pieces[end - 1].end
                for word in words:
                    yield word, piece.start, last
                at = end
                continue
        if at + 1 < len(pieces):
            joined = spell.pairs.get((piece.text, pieces[at + 1].text))
            if joined and pieces[at + 1].start - piece.end <= 2:
                last = pieces[at + 1].end
                for word in joined:
                    yield word, piece.start, last
                at += 2
                continue
        for word in spell.words(piece.text):
            yield word, piece.start, piece.end
        last = piece.end
        at += 1
    mark = _ENDS.search(text, last)
    if mark:
        yield BOUNDARY, mark.start(), mark.end()


@cache
def _speller() -> Speller:
    return Speller(vocabulary())


@lru_cache(maxsize=4)  # the detectors share it; a long text takes much room
def words_of(text: str) -> Words:
    """The words of ``text``, any text at all, in time linear in its length."""
    folded, spell = fold(text), _speller()
    words, spans = [BOUNDARY], [(0, 0)]
    for word, start, end in _tokens(folded, spell):
        words.append(word)
        spans.append(folded.span(start, end))
    words.append(BOUNDARY)
    spans.append((len(text), len(text)))
    quoted = tuple(folded.span(m.start() + 1, m.end() - 1) for m in _QUOTED.finditer(folded.text))
    return Words(tuple(words), tuple(spans), quoted)
