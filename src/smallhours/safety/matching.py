"""From words to findings: one detector's rules and exceptions applied to a text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from smallhours.domain.risk import Finding, RiskLevel
from smallhours.safety.automaton import BOUNDARY, Automaton
from smallhours.safety.lexicon import Excuse, Rule, entries, fillers
from smallhours.safety.words import Words, words_of

# Words after which a sentence turns: what was excused before them is not excused after them.
_TURNS = frozenset(
    "but however although though yet because and actually honestly anyway pero mais aber ma mas "
    "lekin par लेकिन पर لكن tapi но ama fakat".split()
)


_MOST_A_RULE = 20


class Matcher:
    """The compiled rules of one detector."""

    def __init__(self, detector: str) -> None:
        self._detector = detector
        self._entries: list[Rule | Excuse] = []
        self._automaton = Automaton(fillers())
        for label, (entry, phrases) in enumerate(entries(detector)):
            self._entries.append(entry)
            for phrase in phrases:
                self._automaton.add(phrase, label)

    def find(self, text: str) -> list[Finding]:
        """The findings in ``text``, in reading order, excused ones included.

        A rule is reported at most ``_MOST_A_RULE`` times, and as many times excused: more of the same
        adds nothing, and hostile text must not cost memory. No part of the text goes unread for that.
        """
        words = words_of(text)
        hits: dict[int, list[tuple[int, int]]] = {}
        for label, start, end in self._automaton.scan(words.words):
            hits.setdefault(label, []).append((start, end))
        if not any(isinstance(self._entries[label], Rule) for label in hits):
            return []
        court = _Court(words)
        for label, places in hits.items():
            entry = self._entries[label]
            if isinstance(entry, Excuse):
                for start, end in places:
                    court.hear(entry, *_without_edges(start, end, words.words))
        found: list[Finding] = []
        for label, places in hits.items():
            entry = self._entries[label]
            if isinstance(entry, Rule):
                found.extend(self._judged(words, entry, places, court))
        return sorted(_longest(found), key=lambda f: f.span)

    def _judged(
        self, words: Words, rule: Rule, places: Sequence[tuple[int, int]], court: _Court
    ) -> Iterator[Finding]:
        left = {True: _MOST_A_RULE, False: _MOST_A_RULE}
        for place in places:
            start, end = _without_edges(*place, words.words)
            span = (words.spans[start][0], words.spans[end - 1][1])
            excuse = court.excuse(rule, end - 1, span)
            left[excuse is None] -= 1
            if left[excuse is None] >= 0:
                yield Finding(
                    detector=self._detector,
                    rule=rule.name,
                    category=rule.category,
                    level=milder(rule.level, excuse.keeps) if excuse else rule.level,
                    span=span,
                    excepted=excuse.name if excuse else None,
                )
            if left[True] <= 0:
                return


class _Court:
    """Which exception, if any, excuses a finding."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._breaks = [i for i, w in enumerate(words.words) if w == BOUNDARY or w in _TURNS]
        self._at: dict[int, list[Excuse]] = {}
        self._in_part: dict[int, list[Excuse]] = {}

    def hear(self, excuse: Excuse, start: int, end: int) -> None:
        """Take note of an exception that stands in ``words[start:end]``."""
        if BOUNDARY in self._words.words[start:end]:
            return  # it would reach across sentences
        if excuse.scope == "words":
            for index in range(start, end):
                self._at.setdefault(index, []).append(excuse)
            return
        held = self._in_part.setdefault(self._part(end - 1), [])
        if excuse not in held:
            held.append(excuse)

    def _part(self, index: int) -> int:
        return bisect_right(self._breaks, index)

    def excuse(self, rule: Rule, last: int, span: tuple[int, int]) -> Excuse | None:
        """The most lenient exception that holds for a finding whose last word is ``last``."""
        holding = [e for e in self._at.get(last, ()) if _applies(e, rule)]
        for excuse in self._in_part.get(self._part(last), ()):
            quoted = excuse.scope == "quote" and self._words.in_quotes(*span)
            if (quoted or not rule.firm) and _applies(excuse, rule):
                holding.append(excuse)
        return min(holding, key=lambda e: e.keeps.rank, default=None)


def _applies(excuse: Excuse, rule: Rule) -> bool:
    return not excuse.rules or any(rule.name.startswith(name) for name in excuse.rules)


def _without_edges(start: int, end: int, words: Sequence[str]) -> tuple[int, int]:
    while end - start > 1 and words[end - 1] == BOUNDARY:
        end -= 1
    while end - start > 1 and words[start] == BOUNDARY:
        start += 1
    return start, end


def _longest(found: Iterable[Finding]) -> Iterator[Finding]:
    """Of findings alike but for where they end, the longest."""
    kept: dict[tuple[str, RiskLevel, str | None, int], Finding] = {}
    for finding in found:
        key = (finding.rule, finding.level, finding.excepted, finding.span[0])
        if key not in kept or kept[key].span[1] < finding.span[1]:
            kept[key] = finding
    return iter(kept.values())


@cache
def matcher(detector: str) -> Matcher:
    """The matcher of a detector, compiled when first asked for."""
    return Matcher(detector)


def milder(one: RiskLevel, other: RiskLevel) -> RiskLevel:
    """The lower of two levels."""
    return one if one.rank <= other.rank else other


def worst(findings: Iterable[Finding]) -> RiskLevel:
    """The highest level among findings; ``none`` when there are none."""
    return max((f.level for f in findings), key=lambda level: level.rank, default=RiskLevel.NONE)
