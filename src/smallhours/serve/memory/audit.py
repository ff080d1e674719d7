"""Every look of an operator at a conversation, written down before they get to see it.

Each entry's ``chain`` is a hash over it and the one before, so that an entry taken out or changed shows.
Whoever can write to the database can make a new chain from there on: copy the last value elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import insert, select

from smallhours.domain.oversight import Access
from smallhours.serve.memory.database import Database
from smallhours.serve.memory.rows import moment
from smallhours.serve.memory.tables import access


@dataclass(frozen=True)
class AuditLog:
    """The log in a database."""

    database: Database
    clock: Callable[[], float] = time.time

    async def write(self, operator: str, action: str, conversation: str, reason: str) -> None:
        """Store an entry; it is on disk when this returns. Raises StoreError."""
        at = int(self.clock())
        async with self.database.writing() as connection:
            newest = select(access.c.chain).order_by(access.c.id.desc()).limit(1).with_for_update()
            before = (await connection.execute(newest)).scalar() or b""
            chain = _chain(before, at, operator, action, conversation, reason)
            await connection.execute(
                insert(access).values(
                    at=at,
                    operator=operator,
                    action=action,
                    conversation_id=conversation,
                    reason=reason,
                    chain=chain,
                )
            )

    async def entries(self) -> tuple[list[Access], int | None]:
        """All entries, oldest first, and the number of the first that does not fit its chain, if any."""
        async with self.database.reading() as connection:
            rows = (await connection.execute(select(access).order_by(access.c.id))).all()
        broken, before = None, b""
        for number, row in enumerate(rows):
            own = _chain(before, row.at, row.operator, row.action, row.conversation_id, row.reason)
            if own != row.chain and broken is None:
                broken = number
            before = row.chain
        return [
            Access(
                at=moment(r.at),
                operator=r.operator,
                action=r.action,
                conversation=r.conversation_id,
                reason=r.reason,
                chain=r.chain.hex(),
            )
            for r in rows
        ], broken


def _chain(before: bytes, *entry: object) -> bytes:
    return hashlib.sha256(before + json.dumps(entry).encode()).digest()
