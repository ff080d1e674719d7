"""What the reader is trained with; apart from it, so that reading the recipe loads no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How the reader learns; docs/log.md has what was tried."""

    channels: int = 128  # of the second summary
    epochs: int = 4
    batch: int = 32
    rate: float = 1e-3
    head_rate: float = 1e-3
    warmup: float = 0.06
    dropout: float = 0.2
    unseen: float = 0.1  # share of tokens that are left out while it learns
    seed: int = 0
    folds: int = 3
