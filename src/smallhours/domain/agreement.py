"""How far two raters agree beyond chance: Cohen's kappa.

J. Cohen (1960), A coefficient of agreement for nominal scales, Educational and Psychological Measurement
20:37-46. The standard error is the large-sample one of J. L. Fleiss, J. Cohen and B. S. Everitt (1969),
Large sample standard errors of kappa and weighted kappa, Psychological Bulletin 72:323-327: rough below
some thirty pairs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from smallhours.domain.messages import Frozen
from smallhours.domain.shares import Z95

ROUGH_BELOW = 30
_TINY = 1e-12


class Kappa(Frozen):
    """Kappa over ``n`` things, of which ``agreed`` got the same verdict twice, with its 95 % interval.

    ``value``, or ``low`` and ``high``, are ``None`` where they make no sense; ``note`` says why.
    """

    n: int
    agreed: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.agreed} of {self.n} verdicts the same; no kappa: {self.note}"
        between = f"{self.low:.2f} to {self.high:.2f}; " if self.low is not None else ""
        note = f"; {self.note}" if self.note else ""
        same = f"{self.agreed} of {self.n} verdicts the same"
        return f"{same}, kappa {self.value:.2f} ({between}n = {self.n}{note})"


def cohens_kappa(verdicts: Sequence[tuple[str, str]]) -> Kappa:
    """Kappa of two raters from their verdicts on the same things, one pair of verdicts each; at least one."""
    n = len(verdicts)
    cells = {cell: count / n for cell, count in Counter(verdicts).items()}
    one = {name: count / n for name, count in Counter(pair[0] for pair in verdicts).items()}
    other = {name: count / n for name, count in Counter(pair[1] for pair in verdicts).items()}
    agreed = sum(first == second for first, second in verdicts)
    chance = sum(share * other.get(name, 0.0) for name, share in one.items())
    if 1 - chance < _TINY:
        only = verdicts[0][0]
        return Kappa(n=n, agreed=agreed, note=f"both always said '{only}', so chance explains all agreement")
    value = max(-1.0, min(1.0, (agreed / n - chance) / (1 - chance)))
    error = _standard_error(cells, one, other, value, chance, n)
    if error is None:
        return Kappa(n=n, agreed=agreed, value=value, note="too one-sided for an interval")
    return Kappa(
        n=n,
        agreed=agreed,
        value=value,
        low=max(-1.0, value - Z95 * error),
        high=min(1.0, value + Z95 * error),
        note="a rough interval" if n < ROUGH_BELOW else "",
    )


def _standard_error(
    cells: dict[tuple[str, str], float],
    one: dict[str, float],
    other: dict[str, float],
    kappa: float,
    chance: float,
    n: int,
) -> float | None:
    """Fleiss, Cohen and Everitt (1969), equation 13; None where the estimate collapses to nothing."""
    spread = -((kappa - chance * (1 - kappa)) ** 2)
    for (first, second), share in cells.items():
        if first == second:
            spread += share * (1 - (one[first] + other[second]) * (1 - kappa)) ** 2
        else:
            spread += share * (1 - kappa) ** 2 * (other.get(first, 0.0) + one.get(second, 0.0)) ** 2
    return math.sqrt(spread / n) / (1 - chance) if spread > _TINY else None
