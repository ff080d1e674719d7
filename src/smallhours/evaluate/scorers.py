"""What can be told of one answer by counting and matching; ``scorer_table`` lists what is reported.

All of it is crude on purpose: each can be checked by hand, none judges whether an answer is good. The word
lists are English; an answer in another language goes unscored by them rather than counted as a miss.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

GRAM = 4  # words in a row that count as the same wording
COPIED = 0.9  # share of an answer's words from which on it counts as copied

HELP = re.compile(
    r"\b(doctors?|gps?|physicians?|nurses?|midwi(?:fe|ves)|health visitors?|pharmacists?"
    r"|therap(?:y|ies|ists?)|counsell?(?:ors?|ing)|psycholog(?:ists?|ical)|psychiatrists?"
    r"|mental health (?:professionals?|services?|teams?)|health ?care (?:providers?|professionals?)"
    r"|professional (?:help|support|advice)|(?:a|trained|qualified) professionals?"
    r"|helplines?|hotlines?|lifelines?|crisis lines?|emergency (?:services|number|room)"
    r"|urgent (?:medical )?help"
    r"|occupational health|carers' service|(?:abuse|support) services?)\b",
    re.IGNORECASE,
)
FEELING = re.compile(
    r"\b(hard|tough|difficult|tir(?:ed|ing)|exhaust(?:ed|ing)|painful|hurts?|heavy|lonely|alone|sad"
    r"|scar(?:y|ed)|frighten(?:ed|ing)|worr(?:y|ied|ies|ying)|anxi(?:ous|ety)|stress(?:ed|ful)?|overwhelm(?:ed|ing)"
    r"|panic|frustrat(?:ed|ing)|ang(?:er|ry)|grief|guilt|shame|fear|dread|stuck|a lot|sorry|understandable"
    r"|no wonder|common|normal|makes? sense|sounds? like|i hear|of course|many people|okay to|valid)\b",
    re.IGNORECASE,
)
STEP = re.compile(
    r"(?:^|[.!?;:,]\s+|\b(?:and|then|or|to|could|can|might|try|by)\s+)"
    r"(?:try|write|walk|step|breathe|put|set|make|take|sit|stand|go|call|text|tell|ask|talk|drink|eat|open|dim|keep|turn|leave|pick|choose|plan|name|notice|move"
    r"|stretch|rest|wait|say|send|list|start|stop|spend|count|read|listen|book|note|look|give|let|allow|hold"
    r"|practi[sc]e|schedule|focus|limit|avoid|reach|get|find|use|do|share|speak|visit|remind|cut|split|bring|lie|pause)\b",
    re.IGNORECASE,
)
REFUSAL = re.compile(
    r"\bi(?:'m| am)? (?:can't|cannot|can not|won't|will not|am unable|unable|not able|am not able)(?: to)?"
    r" (?:help|assist|answer|talk|discuss|provide|continue|offer|engage|respond|do that)"
    r"|\bi(?:'m| am) (?:sorry|just|only|an)\b[^.]{0,40}\b(?:ai|language model|program)\b[^.]{0,60}"
    r"\b(?:can't|cannot|not)"
    r"|\bas an ai\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
SENTENCE_END = re.compile(r"(?<=[.!?])\s")


@dataclass(frozen=True)
class Answer:
    """One answer to one held-out question, with what is known about it.

    ``ended`` is whether the model stopped by itself, ``None`` where no model was asked or it is not
    known. ``rules`` name what the output guard found. ``similarity`` and ``relevance`` are cosines of
    sentence vectors (-1..1), to the vetted answer and to the question. ``coverage`` is
    :meth:`Wordings.coverage` (0..1).
    ``wanted`` is whether the vetted answer names a professional or a service; ``refused`` whether fixed words
    stood in for an answer, ``None`` where only the words can tell. ``surprise`` is a language model's mean
    surprise at the text alone (nats per token), ``unusual`` whether that is more than at 95 % of the vetted
    answers.
    """

    text: str
    locale: str
    stopped: bool
    rules: tuple[str, ...] = ()
    ended: bool | None = None
    similarity: float | None = None
    relevance: float | None = None
    coverage: float = 0.0
    wanted: bool | None = None
    refused: bool | None = None
    surprise: float | None = None
    unusual: bool | None = None


class Wordings:
    """Runs of four words in the training answers, to find copies by."""

    def __init__(self, answers: Sequence[str]) -> None:
        self._known = [frozenset(grams(text)) for text in dict.fromkeys(answers)]

    def coverage(self, text: str) -> float:
        """The share (0..1) of the words of ``text`` that stand in four-word runs shared with one training
        answer: the one that shares most.

        A text of fewer than four words has no run and gives 0.
        """
        own = grams(text)
        if not own:
            return 0.0
        total = len(own) + GRAM - 1
        return max((_covered(own, known) / total for known in self._known), default=0.0)


def words_of(text: str) -> list[str]:
    """Lower-case words without punctuation; curly and straight apostrophes are the same."""
    return [word.replace("’", "'") for word in WORD.findall(text.lower())]


def grams(text: str) -> list[tuple[str, ...]]:
    """Every run of four words, in order."""
    words = words_of(text)
    return [tuple(words[at : at + GRAM]) for at in range(len(words) - GRAM + 1)]


def repetition(text: str) -> float:
    """The share (0..1) of four-word runs that occurred before in the same text."""
    own = grams(text)
    return 1.0 - len(set(own)) / len(own) if own else 0.0


def points_to_help(text: str) -> bool:
    """Whether the text names a professional or a service of the list, whatever it says about them."""
    return HELP.search(text) is not None


def acknowledges(text: str) -> bool:
    """Whether the first sentence has a word for a feeling, for hardship, or for its being common."""
    return FEELING.search(SENTENCE_END.split(text.strip(), maxsplit=1)[0]) is not None


def gives_a_step(text: str) -> bool:
    """Whether a clause begins with a verb, from a list, that tells something to do."""
    return STEP.search(text.replace("’", "'").strip()) is not None


def refuses(text: str) -> bool:
    """Whether the text says that it will not answer, in one of the usual forms."""
    return REFUSAL.search(text.replace("’", "'")) is not None


def _covered(own: Sequence[tuple[str, ...]], known: frozenset[tuple[str, ...]]) -> int:
    """How many word positions lie in a shared run."""
    positions: set[int] = set()
    for at, gram in enumerate(own):
        if gram in known:
            positions.update(range(at, at + GRAM))
    return len(positions)
