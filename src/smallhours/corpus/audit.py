"""How near what is held out comes to what is trained on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from smallhours.domain.messages import Frozen
from smallhours.domain.records import Example, Split
from smallhours.semantics.neighbours import best_matches
from smallhours.semantics.vectors import Encoder

# Texts compared, at most, drawn by the seed: comparing all of a million takes hours.
AUDITED = {"train": 20_000, "held_out": 2_000}
FIELDS: tuple[Literal["question", "answer"], ...] = ("question", "answer")


class Overlap(Frozen):
    """How near a held-out text comes to the training text most like it (cosine, -1 to 1)."""

    field: Literal["question", "answer"]
    held_out: str
    train: str
    similarity: float


def overlaps(train: Sequence[Example], held_out: Sequence[Example], vectors: Encoder) -> list[Overlap]:
    """For the question and the answer of each held-out example, the nearest of training."""
    found = []
    for field in FIELDS:
        known = vectors.encode([getattr(example, field) for example in train])
        kept = vectors.encode([getattr(example, field) for example in held_out])
        found += [
            Overlap(
                field=field, held_out=example.id, train=train[near.position].id, similarity=near.similarity
            )
            for example, near in zip(held_out, best_matches(kept, known), strict=True)
        ]
    return found


def leaks(
    train: Sequence[Example], held_out: Sequence[Example], vectors: Encoder, bound: float
) -> list[Overlap]:
    """Held-out texts that training as good as contains: cosine at least ``bound``, worst first."""
    found = [overlap for overlap in overlaps(train, held_out, vectors) if overlap.similarity >= bound]
    return sorted(found, key=lambda overlap: -overlap.similarity)


def leak_audit(
    train: Sequence[Example], held_out: Sequence[Example], vectors: Encoder, bound: float
) -> dict[str, Any]:
    """The greatest similarity per field, how many texts reach the bound that makes a group, and how many of
    each were compared."""
    found = overlaps(train, held_out, vectors)
    audit: dict[str, Any] = {
        "bound": bound,
        "reached": sum(o.similarity >= bound for o in found),
        "compared": {"train": len(train), "held_out": len(held_out)},
    }
    for field in FIELDS:
        worst = max((o for o in found if o.field == field), key=lambda o: o.similarity)
        audit[field] = {"max": round(worst.similarity, 4), "held_out": worst.held_out, "train": worst.train}
    return audit


def leak_audits(folder: Path, vectors: Encoder, bound: float, seed: int) -> dict[str, dict[str, Any]]:
    """The audits of validation and test in a dataset folder that is being written."""
    train = _sample(folder / f"{Split.TRAIN}.jsonl", AUDITED["train"], seed)
    return {
        split.value: leak_audit(
            train, _sample(folder / f"{split}.jsonl", AUDITED["held_out"], seed), vectors, bound
        )
        for split in (Split.VALIDATION, Split.TEST)
    }


def _sample(path: Path, at_most: int, seed: int) -> list[Example]:
    """Lines of a file that was just written: all of them, or ``at_most`` drawn by the seed (reservoir)."""
    chance, held = random.Random(seed), list[str]()
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream):
            if len(held) < at_most:
                held.append(line)
            elif (place := chance.randrange(number + 1)) < at_most:
                held[place] = line
    return [Example.model_validate_json(line) for line in held]
