"""Which words of an answer tell what it is about, counted in the vetted pairs."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from smallhours.domain.records import Example

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_ENDINGS = ("ing", "edly", "ed", "es", "ly", "s")
_SHORTEST, _STEM = 3, 3  # letters
_RARE = 0.02  # of the pairs
_ENOUGH = 1500  # kinds of words below which a vocabulary says nothing about an unknown one


def words(text: str) -> list[str]:
    """Words of three letters and more, lower case, without the commonest English endings."""
    found = (word.replace("’", "'") for word in _WORD.findall(text.lower()))
    return [_stem(word) for word in found if len(word) >= _SHORTEST]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word.removesuffix(ending)
    return word


class Wording:
    """How rare words are among the pairs (inverse document frequency). Counted when it is first asked."""

    def __init__(self, pairs: Iterable[Example]) -> None:
        self._pairs = tuple(pairs)

    def shared(self, answer: str, question: str) -> float:
        """The share (0 to 1) of what an answer says that the question named, words weighed by rarity.

        "Exam" in both counts much, "and" in both next to nothing.
        """
        said, asked = set(words(answer)), set(words(question))
        total = sum(map(self._rarity, said))
        return sum(map(self._rarity, said & asked)) / total if total else 0.0

    def unknown(self, answer: str, question: str) -> float:
        """The share (0 to 1) of an answer's words that neither the pairs nor the question have.

        0 where the pairs are too few to say so.
        """
        said = words(answer)
        known = self._documents
        if not said or len(known) < _ENOUGH:
            return 0.0
        asked = set(words(question))
        return sum(word not in known and word not in asked for word in said) / len(said)

    def presumed(self, pair: Example, question: str) -> set[str]:
        """What the answer of a pair takes up from its own question that ``question`` does not say.

        Rare words alone: an answer that speaks of "milk" or of "nine thousand" to somebody who did not would
        be about somebody else. Nothing where the pairs are too few to tell what is rare. Not seen: what is
        presumed in other words than the pair's question has.
        """
        if len(self._documents) < _ENOUGH:
            return set()
        asked = set(words(question))
        taken = set(words(pair.question)) & set(words(pair.answer)) - asked
        return {word for word in taken if self._documents[word] <= max(1, _RARE * len(self._pairs))}

    def _rarity(self, word: str) -> float:
        return math.log((len(self._pairs) + 1) / (self._documents[word] + 1))

    @cached_property
    def _documents(self) -> Counter[str]:
        """In how many pairs each word stands."""
        found: Counter[str] = Counter()
        for pair in self._pairs:
            found.update({*words(pair.question), *words(pair.answer)})
        return found
