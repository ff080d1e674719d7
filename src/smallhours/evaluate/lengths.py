"""How long answers are, in the bands that the project's brief claims figures for."""

from __future__ import annotations

from collections.abc import Sequence

from smallhours.domain.messages import Frozen
from smallhours.evaluate.metrics import Figure, wilson


class Band(Frozen):
    """Answers of ``low`` to just under ``high`` words; ``claimed`` is the brief's share of them (0..1).

    The brief lets the bands overlap at 20 and 40 words; here an answer of exactly 20 words is medium
    and one of exactly 40 is long.
    """

    name: str
    low: int
    high: int | None
    claimed: float

    @property
    def edges(self) -> str:
        """The band as a half-open interval."""
        return f"[{self.low}, {'∞' if self.high is None else self.high})"


BANDS = (
    Band(name="very short", low=0, high=10, claimed=0.0),
    Band(name="short", low=10, high=20, claimed=0.2),
    Band(name="medium", low=20, high=40, claimed=0.6),
    Band(name="long", low=40, high=None, claimed=0.2),
)


def count_words(text: str) -> int:
    """Words as separated by white space."""
    return len(text.split())


def band_of(words: int) -> int:
    """The index in :data:`BANDS` of a text of so many words (0 or more)."""
    return next(i for i, band in enumerate(BANDS) if band.high is None or words < band.high)


def distribution(texts: Sequence[str]) -> list[Figure]:
    """The share of ``texts`` (at least one) in each band, with Wilson's interval."""
    counts = [0] * len(BANDS)
    for text in texts:
        counts[band_of(count_words(text))] += 1
    return [wilson(count, len(texts)) for count in counts]
