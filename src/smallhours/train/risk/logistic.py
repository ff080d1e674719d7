"""L2 logistic regression, deterministic: full batch, Newton's method in the dual, a fixed start.

The dual (one coefficient per message) is small where features are many: a few thousand messages against
nearly ten thousand features.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_STEPS = 15
_ENOUGH = 1e-6


def balanced(truth: Flags) -> Floats:
    """Weights that make both classes count the same, one on average."""
    positive = max(1, int(truth.sum()))
    negative = max(1, len(truth) - positive)
    return np.where(truth, 0.5 / positive, 0.5 / negative) * len(truth)


def fit(kernel: Floats, truth: Flags, weight: Floats, penalty: float) -> Floats:
    """Dual coefficients for ``kernel`` (inner products plus one: the one is the bias)."""
    wanted = truth.astype(np.float64)
    dual: Any = np.zeros(len(truth))  # numpy's own types for solve and zeros disagree
    for _ in range(_STEPS):
        score = kernel @ dual
        chance = 1.0 / (1.0 + np.exp(-np.clip(score, -30.0, 30.0)))
        curve = weight * chance * (1.0 - chance) + 1e-9
        target = score - weight * (chance - wanted) / curve
        after = np.linalg.solve(kernel + np.diag(penalty / curve), target)
        moved = float(np.abs(after - dual).max())
        dual = after
        if moved < _ENOUGH:
            break
    found: Floats = dual
    return found
