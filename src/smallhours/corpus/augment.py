"""More questions for the same answer: each training pair in several wordings."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import chain, zip_longest
from typing import Any

from smallhours.corpus.asking import Asking
from smallhours.corpus.judge import Case, Judge, Objection
from smallhours.corpus.notes import key
from smallhours.corpus.rewording import Candidate, candidates
from smallhours.corpus.text import asked
from smallhours.domain.records import Example, ReviewState

# A frame or better spelling only where there are not enough other questions.
_FIRST = ("question", "spare")
_THEN = ("after", "before", "tidied")
ENDPOINT = "endpoint"  # the rule and kind of a rewording that a model made


class Augmenter:
    """Up to ``expansion - 1`` rewordings of the last question of each example, and a count of them.

    A rewording has the answer of its parent, the id ``<parent>~1`` …, the parent's id and the name of its
    rule (``endpoint`` where a model made it). ``judge`` has no objection to it, and its wording is not among
    ``taken``, to which it is added: the keys (see :func:`~smallhours.corpus.notes.key`) of what is asked in
    all the originals, held out or not.

    What ``asking`` offers comes first. The same seed gives the same result. Where too few wordings are known
    (the rules know English only), an example gets as many as there are.
    """

    def __init__(
        self, expansion: int, seed: int, judge: Judge, taken: set[int], asking: Asking | None = None
    ) -> None:
        self._expansion, self._seed, self._judge = expansion, seed, judge
        self._taken, self._asking = taken, asking
        self._made: Counter[int] = Counter()  # rewordings per pair -> pairs
        self._rules: Counter[str] = Counter()
        self._dropped: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}  # by: endpoint?
        self._not_asked: Counter[str] = Counter()

    def expand(self, example: Example) -> list[Example]:
        """The example and its rewordings."""
        worded, case = [example], self._judge.case(example)
        for candidate in self._candidates(example, case) if self._expansion > 1 else ():
            reworded = example.model_copy(
                update={
                    "id": f"{example.id}~{len(worded)}",
                    "messages": example.with_question(candidate.text),
                    "parent": example.id,
                    "rewording": candidate.rule,
                    "review": ReviewState.UNREVIEWED,  # nobody has signed these words
                }
            )
            wording = asked(reworded)
            repeated = key(wording) in self._taken or wording == asked(example)
            objection = Objection.REPEATED if repeated else case.objection(candidate.text)
            if objection:
                self._dropped[candidate.kind == ENDPOINT][objection.value] += 1
                continue
            self._taken.add(key(wording))
            worded.append(reworded)
            if len(worded) == self._expansion:
                break
        self._made[len(worded) - 1] += 1
        self._rules.update(one.rewording for one in worded if one.rewording)
        return worded

    @property
    def figures(self) -> dict[str, Any]:
        """What came of it, for the manifest. ``dropped`` is about the rules; ``rewriter`` has its own."""
        rewordings = sum(extra * count for extra, count in self._made.items())
        found = {
            "wanted": self._expansion,
            "achieved": round(1 + rewordings / max(1, self._made.total()), 3),
            "short": sum(count for extra, count in self._made.items() if extra < self._expansion - 1),
            "rewordings": rewordings,
            "rules": dict(sorted(self._rules.items())),
            "dropped": dict(sorted(self._dropped[False].items())),
        }
        if self._asking is not None:
            found["rewriter"] = {
                **self._asking.figures,
                "kept": self._rules[ENDPOINT],
                "dropped": dict(sorted(self._dropped[True].items())),
                "not_asked": dict(sorted(self._not_asked.items())),
            }
        return found

    def _candidates(self, example: Example, case: Case) -> Iterator[Candidate]:
        yield from self._from_endpoint(example, case)
        yield from _by_rule(example, self._seed)

    def _from_endpoint(self, example: Example, case: Case) -> Iterator[Candidate]:
        """A crisis is sent to nobody, nor is a language in which nothing could be judged."""
        if self._asking is None:
            return
        if not case.speaks_a_judged_language:
            self._not_asked["language"] += 1
        elif case.is_crisis:
            self._not_asked["crisis"] += 1
        else:
            for wording in self._asking.wordings(example):
                yield Candidate(ENDPOINT, ENDPOINT, wording)


def _by_rule(example: Example, seed: int) -> Iterator[Candidate]:
    """What the rules know, in the order of use: questions first, then the other kinds in turn."""
    if example.language != "en":
        return
    by_kind: dict[str, list[Candidate]] = {kind: [] for kind in (*_FIRST, *_THEN)}
    for candidate in candidates(example.question):
        by_kind[candidate.kind].append(candidate)
    for kind, found in by_kind.items():
        random.Random(f"{seed}/{example.id}/{kind}").shuffle(found)
    in_turn = chain.from_iterable(zip_longest(*(by_kind[kind] for kind in _THEN)))
    for choice in chain(*(by_kind[kind] for kind in _FIRST), in_turn):
        if choice is not None:
            yield choice
