"""Grammar, as far as a language model's surprise tells: how unlikely an answer's words are on their own.

One model is the yardstick for every run, the untouched embedded one, so that runs can be compared. It gets
the answer and nothing else: no instructions, no question. The vetted answers say what is usual.

What is not covered: whether an answer is true, kind, or about the question; a fluent answer to something else
and a sentence said five times surprise little, and so may a slip of grammar in common words. Rare words and
names surprise much, however well they stand. The yardstick's own words surprise it least, so that the column
of a model made from it flatters it. English only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from smallhours.evaluate.subjects import Surprise

USUAL = 0.95  # share of the vetted answers that are usual
FEWEST, MOST = 10, 30  # vetted answers that are asked about, to say what is usual


@dataclass(frozen=True)
class Surprises:
    """Mean nats per token of each text; ``limit`` is what the usual vetted answers stay below, if known."""

    nats: Mapping[str, float | None] = field(default_factory=dict)
    limit: float | None = None

    def of(self, text: str) -> float | None:
        """The text's surprise, ``None`` where it was not measured."""
        return self.nats.get(text)

    def unusual(self, text: str) -> bool | None:
        """Whether the text surprises more than 95 % of the vetted answers do."""
        nats = self.of(text)
        return None if nats is None or self.limit is None else nats > self.limit


def measure_surprise(texts: Iterable[str], vetted: Sequence[str], surprise: Surprise) -> Surprises:
    """The surprise of each text, and the limit that ``vetted`` answers set; no text is asked about twice."""
    every = list(dict.fromkeys([*texts, *vetted]))
    nats = dict(zip(every, surprise(every), strict=True)) if every else {}
    known = [found for text in dict.fromkeys(vetted) if (found := nats[text]) is not None]
    return Surprises(nats, float(np.quantile(known, USUAL)) if len(known) >= FEWEST else None)
