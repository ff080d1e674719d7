"""What the reader is trained with; apart from it, so that reading the recipe loads no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How the reader learns; docs/log.md has what was tried."""

    layers: int = 6
    rank: int = 16
    epochs: int = 2
    batch: int = 24
    rate: float = 1e-3
    head_rate: float = 1e-3
    warmup: float = 0.06
    dropout: float = 0.1
    seed: int = 0
    folds: int = 3
