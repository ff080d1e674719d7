"""From words to findings: one detector's rules and exceptions applied to a text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache

from smallhours.domain.risk import Finding, RiskLevel
from smallhours.safety.automaton import BOUNDARY, Automaton, Match
from smallhours.safety.lexicon import Excuse, Rule, entries, fillers
from smallhours.safety.words import Words, words_of

# Words after which a sentence turns: what was excused before them is not excused after them.
_TURNS = frozenset(
    {"but", "however", "although", "though", "yet", "because", "and", "actually", "honestly", "anyway"}
    | {"pero", "mais", "aber", "ma", "mas", "lekin", "par", "लेकिन", "पर", "لكن", "tapi", "но", "ama"}
)
_MOST_A_RULE = 20
_MOST_EXACT = 1_000  # exceptions placed exactly; further ones cover their last word only


class Matcher:
    """The compiled rules of one detector."""

    def __init__(self, detector: str) -> None:
        self._detector = detector
        self._entries: list[Rule | Excuse] = []  # by label; each phrase has a label of its own
        self._automaton = Automaton(fillers())
        for entry, phrases in entries(detector):
            for phrase in phrases:
                self._automaton.add(phrase, len(self._entries))
                self._entries.append(entry)

    def find(self, text: str) -> list[Finding]:
        """The findings in ``text``, in reading order, excused ones included.

        A rule is reported at most ``_MOST_A_RULE`` times, and as many times excused: more of the same
        adds nothing, and hostile text must not cost memory. No part of the text goes unread for that.
        """
        words = words_of(text)
        hits: dict[str, tuple[Rule, dict[int, Match]]] = {}  # by rule, then by last word
        excuses: list[Match] = []
        for match in self._automaton.scan(words.words):
            entry = self._entries[match[0]]
            if isinstance(entry, Rule):
                hits.setdefault(entry.name, (entry, {}))[1].setdefault(match[1], match)
            else:
                excuses.append(match)
        if not hits:
            return []
        court = _Court(words)
        for number, match in enumerate(excuses):
            excuse = self._entries[match[0]]
            if isinstance(excuse, Excuse):
                exact = number < _MOST_EXACT
                start, end = self._place(match, words) if exact else (match[1], match[1] + 1)
                court.hear(excuse, start, end)
        found = [
            finding
            for rule, matches in hits.values()
            for finding in self._judged(words, rule, matches.values(), court)
        ]
        return sorted(_longest(found), key=lambda f: f.span)

    def _judged(self, words: Words, rule: Rule, matches: Iterable[Match], court: _Court) -> Iterator[Finding]:
        left = {True: _MOST_A_RULE, False: _MOST_A_RULE}
        for match in matches:
            last = match[1]
            while last and words.words[last] == BOUNDARY:
                last -= 1
            excuse = court.excuse(rule, last, words.spans[last])
            left[excuse is None] -= 1
            if left[excuse is None] >= 0:
                start, end = self._place(match, words)
                yield Finding(
                    detector=self._detector,
                    rule=rule.name,
                    category=rule.category,
                    level=milder(rule.level, excuse.keeps) if excuse else rule.level,
                    span=(words.spans[start][0], words.spans[end - 1][1]),
                    excepted=excuse.name if excuse else None,
                )
            if left[True] <= 0:
                return

    def _place(self, match: Match, words: Words) -> tuple[int, int]:
        """The words of a match, without the sentence ends at its edges."""
        start, end = self._automaton.start(words.words, match), match[1] + 1
        while end - start > 1 and words.words[end - 1] == BOUNDARY:
            end -= 1
        while end - start > 1 and words.words[start] == BOUNDARY:
            start += 1
        return start, end


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
