"""What a dataset's manifest says about its pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smallhours.corpus.notes import Notes
from smallhours.corpus.split import SPLITS
from smallhours.domain.records import Split


def figures_of(
    notes: Notes,
    groups: NDArray[np.int64],
    kept: NDArray[np.bool_],
    splits: NDArray[np.int8],
    warnings: int,
    rewordings: int,
) -> dict[str, Any]:
    """Counts by group, topic and split, and the lengths of answers; ``kept`` and ``splits`` are by row."""
    words, topics = np.array(notes.words)[kept], notes.topic_codes()
    sizes = np.unique(groups[kept], return_counts=True)[1]

    def by_topic(rows: NDArray[np.bool_]) -> dict[str, int]:
        counts = np.bincount(topics[rows], minlength=len(notes.topic_names))
        return {
            name: int(count) for name, count in sorted(zip(notes.topic_names, counts, strict=True)) if count
        }

    return {
        "pairs": int(kept.sum()),
        "warnings": warnings,
        "groups": {"count": len(sizes), "largest": int(sizes.max())},
        "answer_words": {
            "min": int(words.min()),
            "median": float(np.median(words)),
            "mean": round(float(words.mean()), 2),
            "max": int(words.max()),
        },
        "topics": by_topic(kept),
        "splits": {
            split.value: {
                "pairs": (pairs := int((splits == number).sum())),
                "examples": pairs + rewordings * (split is Split.TRAIN),
                "groups": len(np.unique(groups[splits == number])),
                "topics": by_topic(splits == number),
            }
            for number, split in enumerate(SPLITS)
        },
    }
