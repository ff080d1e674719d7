"""The interval of a share: Wilson's score interval (E. B. Wilson, 1927, JASA 22:209-212)."""

from __future__ import annotations

import math

Z95 = 1.959963984540054


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """The 95 % interval of ``successes`` of ``n`` cases (``n`` at least 1), both ends in 0..1.

    Unlike the textbook interval it stays inside 0..1 and does not collapse at 0 of n or n of n.
    """
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"{successes} of {n} is not a share")
    share, spread = successes / n, Z95**2 / n
    centre = (share + spread / 2) / (1 + spread)
    half = Z95 / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, centre - half), min(1.0, centre + half)
