"""Which things belong together, one link at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Union:
    """Disjoint sets over ``range(size)`` (Tarjan 1975, with path halving); the least member names a set."""

    def __init__(self, size: int) -> None:
        self._parents = np.arange(size, dtype=np.int64)

    def root(self, member: int) -> int:
        """The least member of the set that ``member`` is in."""
        parents = self._parents
        while parents[member] != member:
            parents[member] = parents[parents[member]]
            member = int(parents[member])
        return member

    def link(self, one: int, other: int) -> None:
        """Make one set of the sets of both."""
        one, other = self.root(one), self.root(other)
        self._parents[max(one, other)] = min(one, other)

    def numbers(self) -> NDArray[np.int64]:
        """The number of each member's set, counted from 0 in the order of their least members."""
        parents = self._parents
        while not np.array_equal(parents[parents], parents):
            parents = parents[parents]
        self._parents = parents
        return np.unique(parents, return_inverse=True)[1].astype(np.int64)
