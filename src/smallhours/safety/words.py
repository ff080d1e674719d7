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
from itertools import pairwise

from smallhours.safety.automaton import BOUNDARY
from smallhours.safety.lexicon import vocabulary
from smallhours.safety.normalize import Folded, fold
from smallhours.safety.spelling import Speller

_CJK_FROM = "\u3000"
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


_Piece = tuple[str, int, int]  # the folded text of a piece, and where it stands there


def _run_of_letters(pieces: Sequence[_Piece], at: int, text: str) -> int:
    """Where a run of single letters that begins at ``at`` ends; ``at`` itself when there is none."""
    end = at + 1
    while end < len(pieces):
        word, start, _ = pieces[end]
        gap = text[pieces[end - 1][2] : start]
        if len(word) > 1 or not word.isascii() or len(gap) > 6 or not _SPELLED_OUT.issuperset(gap):
            break
        end += 1
    return end if end - at >= 3 else at


def _spelled_out(pieces: Sequence[_Piece], spell: Speller) -> list[_Piece]:
    """The words that a run of single letters spells; none when it spells nothing."""
    gaps = [after[1] - before[2] for before, after in pairwise(pieces)]
    narrow = min(gaps)
    groups = [[pieces[0]]]
    for gap, piece in zip(gaps, pieces[1:], strict=True):
        if gap > narrow:
            groups.append([])
        groups[-1].append(piece)
    found: list[_Piece] = []
    for group in groups:
        at = 0
        for letters, words in spell.spelled("".join(piece[0] for piece in group)):
            end = at + letters
            found.extend((word, group[at][1], group[end - 1][2]) for word in words)
            at = end
    return found if any(len(word) > 2 for word, _, _ in found) else []


def _tokens(folded: Folded, spell: Speller) -> Iterator[_Piece]:
    """Words and boundaries with their place in the folded text."""
    text = folded.text
    pieces: list[_Piece] = [(m.group(), m.start(), m.end()) for m in _PIECE.finditer(text)]
    at, last, tried = 0, 0, 0
    while at < len(pieces):
        word, start, _ = pieces[at]
        if start - last > 1 or (start > last and text[last] != " "):
            yield from _sentence_end(text, last, start)
        used = 1
        if word > _CJK_FROM:
            yield pieces[at]
        elif len(word) > 1 or at < tried or not word.isascii():
            yield from _plain(pieces, at, spell)
        else:
            tried = _run_of_letters(pieces, at, text)
            spelled = _spelled_out(pieces[at:tried], spell) if tried > at else []
            used = tried - at if spelled else 1
            yield from spelled or _plain(pieces, at, spell)
        if used == 1 and word in spell.firsts and _pair(pieces, at, spell):
            used = 2
        at += used
        last = pieces[at - 1][2]
    yield from _sentence_end(text, last, len(text))


def _sentence_end(text: str, start: int, end: int) -> Iterator[_Piece]:
    mark = _ENDS.search(text, start, end)
    if mark:
        yield BOUNDARY, mark.start(), mark.end()


def _pair(pieces: Sequence[_Piece], at: int, spell: Speller) -> tuple[str, ...]:
    """What the words at ``at`` and after it mean together: "my self", "want 2"."""
    if at + 1 >= len(pieces) or pieces[at + 1][1] - pieces[at][2] > 2:
        return ()
    return spell.pairs.get((pieces[at][0], pieces[at + 1][0]), ())


def _plain(pieces: Sequence[_Piece], at: int, spell: Speller) -> Iterator[_Piece]:
    """The words of one piece, or of a pair of pieces."""
    word, start, end = pieces[at]
    pair = _pair(pieces, at, spell) if word in spell.firsts else ()
    if pair:
        end = pieces[at + 1][2]
    for part in pair or spell.words(word):
        yield part, start, end


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
