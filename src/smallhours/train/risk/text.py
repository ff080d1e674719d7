"""Training text: JSON Lines with ``text``, ``level``, ``category`` (or null) and ``style``.

``data/suicide.jsonl``, ``other.jsonl``, ``wide.jsonl``, ``more.jsonl`` (crises and their near misses),
``ordinary.jsonl``, ``night.jsonl`` (neither), ``languages.jsonl``, ``more_languages.jsonl`` (twelve others),
``posts.jsonl`` (as long as people post), ``posts_languages.jsonl`` (eight languages and scripts) and
``wider.jsonl`` (all of these), ``requests_en.jsonl`` and ``requests_other.jsonl`` (what is asked for, idioms,
odd spellings) were written for this; ``replies.jsonl`` (what a model might say) is for the output guard.
``cases.jsonl`` is a copy of the case tables and ``pairs.jsonl`` of what people ask in the built-in pairs
and conversations, as they stood: an edit to a test or a pair must not change the training text unseen, and
lines added to the tables later stay a measure that the head has not learned from. A ``style`` is one voice
or one block of a table; lines of a style stay together when text is held aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from smallhours.domain.messages import Frozen
from smallhours.domain.risk import RiskCategory, RiskLevel

DATA = Path(__file__).parent / "data"

Flags = NDArray[np.bool_]


class Line(Frozen):
    """One message and what it should be taken for."""

    text: str
    level: RiskLevel
    category: RiskCategory | None
    style: str
    language: str = "en"

    @property
    def is_crisis(self) -> bool:
        """Whether the head should find it."""
        return self.level.is_crisis

    @property
    def is_grave(self) -> bool:
        """Whether ``high`` is not too much."""
        return self.level.rank >= RiskLevel.HIGH.rank


class Reply(Frozen):
    """What a model might say, and whether it does harm; ``kind`` names the harm, or is ``good``."""

    text: str
    kind: str
    style: str
    language: str = "en"

    @property
    def is_harmful(self) -> bool:
        """Whether the output guard should stop it."""
        return self.kind != "good"


def read_replies(path: Path) -> list[Reply]:
    """The replies of a file; repeated texts once."""
    rows = [Reply.model_validate_json(raw) for raw in path.read_text("utf-8").splitlines() if raw.strip()]
    return list({one.text.strip().casefold(): one for one in rows}.values())


def read_lines(path: Path) -> list[Line]:
    """The lines of a file, styles prefixed with its name; repeated texts once."""
    found: dict[str, Line] = {}
    for raw in path.read_text("utf-8").splitlines():
        if raw.strip():
            line = Line.model_validate_json(raw)
            named = line.model_copy(update={"style": f"{path.stem}/{line.style}"})
            found.setdefault(line.text.strip().casefold(), named)
    return list(found.values())


def folds(lines: Sequence[Line] | Sequence[Reply], count: int) -> list[int]:
    """A fold for each line: whole styles, largest first, each to the fold that has least so far."""
    sizes: dict[str, int] = {}
    for line in lines:
        sizes[line.style] = sizes.get(line.style, 0) + 1
    filled, chosen = [0] * count, dict[str, int]()
    for style in sorted(sizes, key=lambda s: (-sizes[s], s)):
        fold = filled.index(min(filled))
        chosen[style] = fold
        filled[fold] += sizes[style]
    return [chosen[line.style] for line in lines]
