"""Personal data found in a text and masked: ``my name is [name]``.

Careful rather than complete: what is masked is nearly always personal, and not all that is personal is
found. Each module of ``personal`` says what it does not see; no mask replaces a person who reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from smallhours.corpus.personal.accounts import accounts
from smallhours.corpus.personal.addresses import addresses
from smallhours.corpus.personal.names import names, not_names
from smallhours.corpus.personal.online import emails, handles, links
from smallhours.corpus.personal.phones import phones


class Kind(StrEnum):
    """What was found; its mask is the kind in square brackets."""

    EMAIL = "email"
    LINK = "link"
    HANDLE = "handle"
    NUMBER = "number"
    PHONE = "phone"
    ADDRESS = "address"
    NAME = "name"

    @property
    def mask(self) -> str:
        """``[name]``."""
        return f"[{self.value}]"


@dataclass(frozen=True, slots=True)
class Span:
    """Personal data at ``[start, end)`` of the original text."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text without the personal data that was found in it, and where that stood."""

    text: str
    spans: tuple[Span, ...]


# In this order: of two findings that overlap, the first counts.
_FINDERS: tuple[tuple[Kind, Callable[[str], Iterator[tuple[int, int]]]], ...] = (
    (Kind.EMAIL, emails),
    (Kind.LINK, links),
    (Kind.HANDLE, handles),
    (Kind.NUMBER, accounts),
    (Kind.PHONE, phones),
    (Kind.ADDRESS, addresses),
    (Kind.NAME, names),
)
_WORD = re.compile(r"\w+")
_MASK = re.compile("|".join(re.escape(kind.mask) for kind in Kind))


def scrub(text: str) -> Scrubbed:
    """Mask the personal data in a text. What comes out stays as it is when scrubbed again."""
    return scrub_all([text])[0]


def scrub_all(texts: Sequence[str]) -> list[Scrubbed]:
    """Scrub texts that belong together: a name that one of them gives is masked in all of them."""
    return list(_scrub_all(tuple(texts)))


@lru_cache(maxsize=16)  # a row is often checked and then repaired
def _scrub_all(texts: tuple[str, ...]) -> tuple[Scrubbed, ...]:
    spans: list[list[Span]] = [[] for _ in texts]
    masked = list(texts)
    given: set[str] = set()
    searching = True
    while searching:
        searching = False
        again = _mentions(given, texts)
        for at, text in enumerate(texts):
            found = find(masked[at], again)
            if found:
                searching = True
                spans[at] += [_moved_back(span, spans[at]) for span in found]
                spans[at].sort(key=lambda span: span.start)
                masked[at] = _masked(text, spans[at])
                given |= {text[span.start : span.end] for span in spans[at] if span.kind is Kind.NAME}
    return tuple(Scrubbed(*pair) for pair in zip(masked, map(tuple, spans), strict=True))


def find(text: str, again: re.Pattern[str] | None = None) -> list[Span]:
    """Personal data in the order of the text, no two findings overlapping, none of them a mask.

    ``again`` fits the names that are known already.
    """
    taken = [match.span() for match in _MASK.finditer(text)]
    found: list[Span] = []
    for kind, spans in [
        *((kind, finder(text)) for kind, finder in _FINDERS),
        *([(Kind.NAME, (match.span() for match in again.finditer(text)))] if again else []),
    ]:
        for start, end in spans:
            if all(end <= other or until <= start for other, until in taken):
                taken.append((start, end))
                found.append(Span(kind, start, end))
    return sorted(found, key=lambda span: span.start)


def _mentions(given: set[str], texts: Sequence[str]) -> re.Pattern[str] | None:
    """Fits the names given, wherever else they stand; not those that are words of these texts, too."""
    parts = {part for name in given for part in name.split() if len(part) > 2 and part[0].isupper()}
    if not parts:
        return None
    words = {word for text in texts for word in _WORD.findall(text)}
    sure = sorted(part for part in parts if part.lower() not in words | not_names()["repeated"])
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, sure))})\b") if sure else None


def _masked(text: str, spans: list[Span]) -> str:
    pieces, at = [], 0
    for span in spans:
        pieces += [text[at : span.start], span.kind.mask]
        at = span.end
    return "".join([*pieces, text[at:]])


def _moved_back(span: Span, masked: list[Span]) -> Span:
    """The same place in the original text: every mask before it has moved it."""
    moved = 0
    for earlier in masked:
        if earlier.start - moved + len(earlier.kind.mask) > span.start:
            break
        moved += earlier.end - earlier.start - len(earlier.kind.mask)
    return Span(span.kind, span.start + moved, span.end + moved)
