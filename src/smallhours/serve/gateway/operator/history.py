"""What happened when, out of counters that only grow: they are looked at on every full hour.

It lives in this process and goes with it. The counters are those of all workers of one gateway.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from prometheus_client import CollectorRegistry

HOURS_KEPT = 7 * 24
_HOUR = 3600.0

_Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Counts:
    """How much each counter had, or by how much it grew."""

    values: Mapping[tuple[str, _Labels], float] = field(default_factory=dict)

    def since(self, before: Counts) -> Counts:
        """By how much each grew."""
        return Counts({key: value - before.values.get(key, 0.0) for key, value in self.values.items()})

    def by(self, name: str, *labels: str) -> dict[tuple[str, ...], int]:
        """The counter ``name``, summed by ``labels``; only what is above zero."""
        found: dict[tuple[str, ...], int] = {}
        for (series, stated), value in self.values.items():
            if series == name and value > 0:
                key = tuple(dict(stated).get(label, "") for label in labels)
                found[key] = found.get(key, 0) + round(value)
        return found

    def total(self, name: str, **where: str) -> int:
        """The sum of a counter over all series with these labels."""
        return round(
            sum(
                value
                for (series, stated), value in self.values.items()
                if series == name and where.items() <= dict(stated).items()
            )
        )

    def within(self, share: float, name: str, **where: str) -> float | None:
        """The least bound of the histogram ``name`` that at least ``share`` of the values are within.

        None if there are no values; infinity if they lie above the last bound.
        """
        count = self.total(f"{name}_count", **where)
        if not count:
            return None
        bounds = [
            (float(dict(stated)["le"]), value)
            for (series, stated), value in self.values.items()
            if series == f"{name}_bucket" and where.items() <= dict(stated).items()
        ]
        return min((bound for bound, value in bounds if value >= share * count), default=math.inf)


class History:
    """The counters of ``registry`` at the begin and on each of the last full hours."""

    def __init__(
        self, registry: Callable[[], CollectorRegistry], clock: Callable[[], float] = time.time
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._looks: deque[tuple[float, Counts]] = deque(maxlen=HOURS_KEPT)
        self.begun = self._moment(clock())
        self.keep()

    def keep(self) -> None:
        """Remember how the counters are now."""
        self._looks.append((self._clock(), self._look()))

    async def keep_hourly(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(_HOUR - self._clock() % _HOUR)
            self.keep()

    def last(self, hours: int) -> Counts:
        """What happened in this hour and the ``hours`` - 1 before it, as far as they are known."""
        return self._look().since(self._looks[-min(hours, len(self._looks))][1])

    def by_hour(self, hours: int) -> list[tuple[datetime, Counts]]:
        """Each of the last ``hours`` by itself, by its begin, the newest first."""
        looks = [*list(self._looks)[-hours:], (self._clock(), self._look())]
        pairs = pairwise(looks)
        return [(self._moment(at), after.since(before)) for (at, before), (_, after) in pairs][::-1]

    def _look(self) -> Counts:
        return Counts(
            {
                (sample.name, tuple(sorted(sample.labels.items()))): sample.value
                for metric in self._registry().collect()
                if metric.type in ("counter", "histogram")
                for sample in metric.samples
                if not sample.name.endswith("_created")
            }
        )

    def _moment(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)
