"""From words to findings: one detector's rules and exceptions applied to a text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache

from smallhours.domain.risk import Finding, RiskLevel
from smallhours.safety.automaton import BOUNDARY, Automaton, Match
from smallhours.safety.lexicon import Excuse, Rule, entries, fillers
from smallhours.safety.words import Words, words_of

# Words after which a sentence turns: what was excused before them is not excused after them.
_TURNS = frozenset(
    "but however although though yet because and actually honestly anyway pero mais aber ma mas "
    "lekin par लेकिन पर لكن tapi но ama fakat".split()
)


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
        """The findings in ``text``, in reading order, excused ones included."""
        words = words_of(text)
        rules: dict[tuple[str, int], tuple[Rule, Match]] = {}
        excuses: list[tuple[Excuse, Match]] = []
        for match in self._automaton.scan(words.words):
            entry = self._entries[match.label]
            match = _without_edges(match, words.words)
            if isinstance(entry, Rule):
                rules.setdefault((entry.name, match.end), (entry, match))
            elif BOUNDARY not in words.words[match.start : match.end]:
                excuses.append((entry, match))
        if not rules:
            return []
        court = _Court(words, excuses)
        return [self._finding(words, rule, match, court) for rule, match in rules.values()]

    def _finding(self, words: Words, rule: Rule, match: Match, court: _Court) -> Finding:
        span = (words.spans[match.start][0], words.spans[match.end - 1][1])
        excuse = court.excuse(rule, match, span)
        return Finding(
            detector=self._detector,
            rule=rule.name,
            category=rule.category,
            level=milder(rule.level, excuse.keeps) if excuse else rule.level,
            span=span,
            excepted=excuse.name if excuse else None,
        )


class _Court:
    """Which exception, if any, excuses a finding."""

    def __init__(self, words: Words, excuses: Sequence[tuple[Excuse, Match]]) -> None:
        self._words = words
        self._breaks = [
            i for i, w in enumerate(words.words) if excuses and (w == BOUNDARY or w in _TURNS)
        ]
        self._at: dict[int, list[tuple[Excuse, Match]]] = {}
        self._in_part: dict[int, list[Excuse]] = {}
        for excuse, match in excuses:
            if excuse.scope == "words":
                for index in range(match.start, match.end):
                    self._at.setdefault(index, []).append((excuse, match))
            else:
                part = self._part(match.end - 1)
                held = self._in_part.setdefault(part, [])
                if excuse not in held:
                    held.append(excuse)

    def _part(self, index: int) -> int:
        return bisect_right(self._breaks, index)

    def excuse(self, rule: Rule, match: Match, span: tuple[int, int]) -> Excuse | None:
        """The most lenient exception that holds, or nothing."""
        last = match.end - 1
        holding = [e for e, _ in self._at.get(last, ()) if _applies(e, rule)]
        for excuse in self._in_part.get(self._part(last), ()):
            quoted = excuse.scope == "quote" and self._words.in_quotes(*span)
            if (quoted or not rule.firm) and _applies(excuse, rule):
                holding.append(excuse)
        return min(holding, key=lambda e: e.keeps.rank, default=None)


def _applies(excuse: Excuse, rule: Rule) -> bool:
    return not excuse.rules or any(rule.name.startswith(name) for name in excuse.rules)


def _without_edges(match: Match, words: Sequence[str]) -> Match:
    start, end = match.start, match.end
    while end - start > 1 and words[end - 1] == BOUNDARY:
        end -= 1
    while end - start > 1 and words[start] == BOUNDARY:
        start += 1
    return Match(match.label, start, end)


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
