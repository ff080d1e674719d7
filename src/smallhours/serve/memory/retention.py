"""What has been kept long enough goes, keys first."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import select

from smallhours.serve.memory.database import Database
from smallhours.serve.memory.store import SqlMemory
from smallhours.serve.memory.tables import conversation

_TOGETHER = 100
# Seconds by which the wall clock may run ahead of the steady one between two rounds.
TOLERATED = 3600.0


@dataclass
class Retention:
    """Deletes conversations whose time is over.

    A wall clock that jumped is not believed for one round: a wrong date must not delete what everybody
    still needs. If it has stayed where it jumped to by the next round, it is.
    """

    database: Database
    memory: SqlMemory
    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    _anchor: tuple[float, float] | None = field(default=None, init=False)

    async def purge(self) -> int | None:
        """How many conversations went; None if the clock jumped and nothing was done."""
        now, ticks = self.wall(), self.steady()
        before, self._anchor = self._anchor, (now, ticks)
        if before is not None and abs((now - before[0]) - (ticks - before[1])) > TOLERATED:
            return None
        gone = 0
        while True:
            async with self.database.reading() as connection:
                over = select(conversation.c.id).where(conversation.c.expires < int(now)).limit(_TOGETHER)
                names = [row.id for row in await connection.execute(over)]
            if not names:
                return gone
            await self.memory.forget_all(names)
            gone += len(names)
