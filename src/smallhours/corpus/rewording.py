"""Other ways to ask the same thing, by rule.

A rule knows the opening of a question and replaces only that: whatever follows, in that sentence or
around it, stays as the person wrote it. Messages that no rule knows are framed (a word before, a
question after) or tidied. The rules know English; where they are unsure they offer nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from smallhours.corpus.phrases import AFTER, BEFORE, BEFORE_A_QUESTION, QUESTIONS, START
from smallhours.corpus.tidy import first_question, tidy


@dataclass(frozen=True, slots=True)
class Candidate:
    """A wording, the rule that made it, and its kind.

    ``question``: the question itself is worded otherwise, ``spare``: so too, less tellingly;
    ``after``, ``before``: framed; ``tidied``: only spelled out.
    """

    rule: str
    kind: str
    text: str


_FIRST = 3
_COMPILED = tuple((name, re.compile(START + p, re.IGNORECASE), new) for name, p, new in QUESTIONS)
# After these, a request for advice would contradict the message or say it twice.
_WANTS_NO_ADVICE = re.compile(r"\b(?:tips|advice|lectur\w*|promise|just tell me|suggest\w*)\b", re.IGNORECASE)


def candidates(text: str) -> Iterator[Candidate]:
    """Every rewording the rules know for a message; nothing is checked or compared here."""
    yield from _questions(text)
    yield from _frames(text)
    neat = tidy(text)
    if neat != text:
        yield Candidate("tidied", "tidied", neat)


def _questions(text: str) -> Iterator[Candidate]:
    for name, pattern, replacements in _COMPILED:
        # What is asked inside quotation marks was asked by or of somebody else.
        match = next((m for m in pattern.finditer(text) if not _quoted(text, m.start())), None)
        if match is None:
            continue
        for rank, replacement in enumerate(replacements):
            opening = _in_style_of(match[0], text, replacement.format(**match.groupdict()))
            worded = text[: match.start()] + opening + text[match.end() :]
            yield Candidate(name, "question" if rank < _FIRST else "spare", worded)


def _frames(text: str) -> Iterator[Candidate]:
    question = first_question(text)
    starts = BEFORE_A_QUESTION if question == 0 else BEFORE
    hushed = _WANTS_NO_ADVICE.search(text)
    neat = tidy(text)
    for plain in dict.fromkeys((text, neat)):
        formal = plain == neat or plain[:1].isupper()
        ended = plain if plain.endswith((".", "?", "!")) else plain + "."
        if question is None and not hushed:
            for frame in AFTER:
                yield Candidate("asked-after", "after", f"{ended} {_neat_frame(frame) if formal else frame}")
        for frame in starts:
            if hushed and "help" in frame:
                continue
            yield Candidate("led-in", "before", f"{_neat_frame(frame) if formal else frame} {plain}")


_neat_frame = functools.cache(tidy)


def _quoted(text: str, position: int) -> bool:
    return len(re.findall('["“”]', text[:position])) % 2 == 1


def _in_style_of(replaced: str, text: str, opening: str) -> str:
    """Give the opening the capitals, and the apostrophes, that the message uses."""
    if re.search(r"\bI\b", text):
        opening = re.sub(r"\bi\b", "I", opening)
        opening = re.sub(r"\bits\b", "it's", opening)
    return opening[:1].upper() + opening[1:] if replaced[:1].isupper() else opening
