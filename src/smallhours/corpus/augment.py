"""More questions for the same answer: each training pair in several wordings."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest

from smallhours.corpus.locks import locked
from smallhours.corpus.notes import key
from smallhours.corpus.rewording import Candidate, candidates
from smallhours.corpus.text import asked
from smallhours.domain.records import Example, ReviewState

# A frame or better spelling only where there are not enough other questions.
_FIRST = ("question", "spare")
_THEN = ("after", "before", "tidied")


def augment(
    examples: Iterable[Example], expansion: int, seed: int, taken: set[int] | None = None
) -> Iterator[Example]:
    """Each example followed by up to ``expansion - 1`` rewordings of its last question.

    A rewording has the answer of its parent, the id ``<parent>~1`` …, the parent's id and the name
    of its rule. It keeps every negation, number and clinical word, and its wording is not among ``taken``,
    to which it is added: the keys (see :func:`~smallhours.corpus.notes.key`) of what is asked in all the
    originals, held out or not.

    The same seed gives the same result. Where the rules know too few wordings (they know English
    only), an example gets as many as there are.
    """
    taken = set() if taken is None else taken
    for example in examples:
        yield example
        made = 0
        for candidate in _chosen(example, seed) if expansion > 1 else ():
            if made == expansion - 1:
                break
            reworded = example.model_copy(
                update={
                    "id": f"{example.id}~{made + 1}",
                    "messages": example.with_question(candidate.text),
                    "parent": example.id,
                    "rewording": candidate.rule,
                    "review": ReviewState.UNREVIEWED,  # nobody has signed these words
                }
            )
            wording = key(asked(reworded))
            if wording not in taken and asked(reworded) != asked(example):
                taken.add(wording)
                made += 1
                yield reworded


def _chosen(example: Example, seed: int) -> Iterator[Candidate]:
    """The lawful candidates in the order of use: questions first, then the other kinds in turn."""
    if example.locale.split("-")[0].lower() != "en":
        return
    by_kind: dict[str, list[Candidate]] = {kind: [] for kind in (*_FIRST, *_THEN)}
    for candidate in candidates(example.question):
        by_kind[candidate.kind].append(candidate)
    for kind, found in by_kind.items():
        random.Random(f"{seed}/{example.id}/{kind}").shuffle(found)
    kept = locked(example.question)
    in_turn = chain.from_iterable(zip_longest(*(by_kind[kind] for kind in _THEN)))
    for choice in chain(*(by_kind[kind] for kind in _FIRST), in_turn):
        if choice and locked(choice.text) == kept:
            yield choice
