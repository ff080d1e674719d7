"""The phrase language of the lexicons.

    want to die            these words, in this order, whatever stands between them as punctuation
    (very)? sad            a group that may be missing
    suicid*                any word that begins like this
    (kill|hurt) myself     one of these; an alternative may be several words
    [really] sad           with or without
    {i} [really] {want}    a named set, defined under [sets]
    end .. life            up to two words between; "..." up to five, "...." up to ten
    ^ goodbye $            the beginning and the end of a sentence
    想死                    Chinese and Japanese: characters, no spaces needed

``parse`` gives a sequence of elements; a literal goes through the same folding and spelling as the
texts it will be compared with, so "don't", "dont" and "do not" are one phrase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from smallhours.safety.normalize import fold
from smallhours.safety.spelling import plain

_TOKEN = re.compile(r"\{[\w-]+\}|\.{2,4}|[()\[\]|^$?]|[^\s()\[\]|{}^$?]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_GAPS = {"..": 2, "...": 5, "....": 10}


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or with ``prefix`` any word that begins with it."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Up to ``most`` words of any kind, inside one sentence."""

    most: int


@dataclass(frozen=True, slots=True)
class Edge:
    """The beginning or the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences; an empty one makes it optional."""

    options: tuple[tuple[Element, ...], ...]


Element = Word | Gap | Edge | Choice


class PhraseError(ValueError):
    """A phrase that cannot be read; the message shows it."""


def _literal(text: str) -> Iterator[Element]:
    prefix = text.endswith("*")
    folded = fold(text.removesuffix("*")).text.strip()
    if _CJK.search(folded):
        yield from (Word(ch) for ch in folded)
        return
    if prefix:
        yield Word(folded, prefix=True)
        return
    yield from (Word(word) for word in plain(folded))


def parse(phrase: str, sets: Mapping[str, str]) -> tuple[Element, ...]:
    """The elements of a phrase. Raises ``PhraseError`` when it does not make sense."""
    tokens = _TOKEN.findall(phrase)
    elements, rest = _sequence(tokens, 0, sets, phrase, depth=0)
    if rest != len(tokens) or not elements:
        raise PhraseError(f"cannot read the phrase {phrase!r}")
    return elements


def _sequence(
    tokens: list[str], at: int, sets: Mapping[str, str], phrase: str, depth: int
) -> tuple[tuple[Element, ...], int]:
    elements: list[Element] = []
    while at < len(tokens) and tokens[at] not in ("|", ")", "]"):
        token = tokens[at]
        at += 1
        if token in _GAPS:
            elements.append(Gap(_GAPS[token]))
        elif token in ("^", "$"):
            elements.append(Edge())
        elif token in ("(", "["):
            choice, at = _choice(tokens, at, sets, phrase, depth + 1, token)
            if at < len(tokens) and tokens[at] == "?":
                choice, at = Choice(((), *choice.options)), at + 1
            elements.append(choice)
        elif token.startswith("{"):
            name = token[1:-1]
            if name not in sets or depth > 8:
                raise PhraseError(f"no set called {name!r} for the phrase {phrase!r}")
            inner = _TOKEN.findall(f"{sets[name]})")
            choice, _ = _choice(inner, 0, sets, sets[name], depth + 1, "(")
            elements.append(choice)
        else:
            elements.extend(_literal(token))
    return tuple(elements), at


def _choice(
    tokens: list[str], at: int, sets: Mapping[str, str], phrase: str, depth: int, opener: str
) -> tuple[Choice, int]:
    options: list[tuple[Element, ...]] = [()] if opener == "[" else []
    closer = "]" if opener == "[" else ")"
    while True:
        option, at = _sequence(tokens, at, sets, phrase, depth)
        if not option:
            raise PhraseError(f"an empty alternative in the phrase {phrase!r}")
        options.append(option)
        if at >= len(tokens) or tokens[at] not in ("|", closer):
            raise PhraseError(f"a bracket is not closed in the phrase {phrase!r}")
        at += 1
        if tokens[at - 1] == closer:
            return Choice(tuple(options)), at


def literals(elements: tuple[Element, ...]) -> Iterator[Word]:
    """All words that a phrase names."""
    for element in elements:
        if isinstance(element, Word):
            yield element
        elif isinstance(element, Choice):
            for option in element.options:
                yield from literals(option)
