"""What of a remembered conversation the next answer sees, within a budget of tokens.

The newest turns in full; before them one message with what the person asked to be remembered and a few of
their own earlier sentences. No sentence in which a risk was found is ever summarised: the risk state carries
that, at the weight it has now, whatever was cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from smallhours.domain.memory import Exchange, Remembered
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.risk import Finding
from smallhours.semantics.vectors import Encoder

CHARACTERS_PER_TOKEN = 4
_NOTE_SHARE = 0.4  # of the budget, at most, for facts and summary
_SUMMARY_CHARACTERS = 600
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")
_SHORTEST_WORDS = 4
_REMEMBER = re.compile(
    r"\b(?:please|pls|can you|could you|i want you to|i'd like you to)\s+(?:try to\s+)?remember\s+"
    r"(?:this|that)?\s*[:,]?\s*(?P<fact>[^\n]{3,300}?)\s*(?:$|[.!?](?=\s|$))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Context:
    """What is screened and answered: the turns that fit, and what was found in those that do not.

    ``first`` is the number of the oldest exchange in it.
    """

    conversation: Conversation
    earlier: tuple[Finding, ...]
    first: int


def context(remembered: Remembered, content: str, locale: str, budget: int) -> Context:
    """The conversation with its new message, cut to ``budget`` tokens; the new message is always whole."""
    left = budget * CHARACTERS_PER_TOKEN - len(content)
    note = _note(remembered, int(budget * CHARACTERS_PER_TOKEN * _NOTE_SHARE))
    left -= len(note)
    kept: list[Exchange] = []
    for exchange in reversed(remembered.exchanges):
        left -= len(exchange.content) + (len(exchange.reply.content) if exchange.reply else 0)
        if left < 0:
            break
        kept.insert(0, exchange)
    newest = remembered.exchanges[-1].number + 1 if remembered.exchanges else 0
    first = kept[0].number if kept else newest
    turns = [Message(role=Role.USER, content=note)] if note else []
    for exchange in kept:
        turns.append(Message(role=Role.USER, content=exchange.content))
        if exchange.reply:
            turns.append(Message(role=Role.ASSISTANT, content=exchange.reply.content))
    turns.append(Message(role=Role.USER, content=content))
    # The note is a message, too: without its place, what was found before would look one turn older.
    place = 1 if note else 0
    earlier = tuple(
        f.model_copy(update={"message": f.message - first + place})
        for f in remembered.risk
        if f.message < first
    )
    return Context(Conversation(messages=tuple(turns), locale=locale), earlier, first)


def _note(remembered: Remembered, most: int) -> str:
    facts = [f"- {fact.text}" for fact in remembered.facts]
    parts = []
    if facts:
        parts.append("Please keep in mind:\n" + "\n".join(facts))
    if remembered.summary:
        parts.append("Earlier I told you: " + " ".join(remembered.summary))
    return "\n".join(parts)[:most]


def summary_of(
    old: Sequence[str],
    dropped: Sequence[Exchange],
    encoder: Encoder,
    is_risky: Callable[[str], bool],
) -> tuple[str, ...]:
    """A few sentences of the person that say most of what they said, in their order.

    Sentences nearest to the mean of all of them; the old summary's compete with the new. No model writes
    anything, so nothing is made up.
    """
    fresh = [s for exchange in dropped for s in _sentences(exchange.content) if not is_risky(s)]
    sentences = list(dict.fromkeys([*old, *fresh]))
    if not sentences:
        return ()
    vectors = encoder.encode(sentences)
    nearness = vectors @ vectors.mean(axis=0)
    chosen: set[int] = set()
    left = _SUMMARY_CHARACTERS
    for index in np.argsort(-nearness, kind="stable"):
        if len(sentences[index]) <= left:
            chosen.add(int(index))
            left -= len(sentences[index]) + 1
    return tuple(sentences[i] for i in sorted(chosen))


def _sentences(text: str) -> list[str]:
    found = (match.group().strip() for match in _SENTENCE.finditer(text))
    return [s for s in found if len(s.split()) >= _SHORTEST_WORDS]


def fact_in(content: str) -> str | None:
    """What a message asks to be remembered ("please remember that …"), if it asks. English only."""
    match = _REMEMBER.search(content)
    return match.group("fact").strip() if match else None
