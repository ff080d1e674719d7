"""The hourly job that deletes what was kept long enough, and how its last round went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

PURGE_SECONDS = 3600.0

# ``put off``: the clock had jumped, and is not believed for one round.
Outcome = Literal["done", "put off", "failed"]


@dataclass(frozen=True)
class Round:
    """When the job ran last, and how many conversations went."""

    at: datetime
    outcome: Outcome
    deleted: int = 0


class Rounds:
    """Calls ``purge`` every hour. What fails is tried again an hour later."""

    def __init__(self, purge: Callable[[], Awaitable[int | None]]) -> None:
        self._purge = purge
        self.last: Round | None = None

    async def every_hour(self) -> None:
        """Until it is cancelled."""
        while True:
            self.last = await self._round()
            await asyncio.sleep(PURGE_SECONDS)

    async def _round(self) -> Round:
        now = datetime.now(UTC)
        try:
            deleted = await self._purge()
        except Exception:  # noqa: BLE001 - a database that is away now is there in an hour
            return Round(now, "failed")
        return Round(now, "put off") if deleted is None else Round(now, "done", deleted)
