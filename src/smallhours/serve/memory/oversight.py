"""The operator's view of the memory: counts, reports, and what was reported, each look written down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select

from smallhours.domain.errors import MissingError
from smallhours.domain.memory import Remembered
from smallhours.domain.oversight import Access, Holdings, Report
from smallhours.serve.memory.audit import AuditLog
from smallhours.serve.memory.database import Database
from smallhours.serve.memory.rows import moment
from smallhours.serve.memory.store import SqlMemory
from smallhours.serve.memory.tables import conversation, report


@dataclass(frozen=True)
class SqlOversight:
    """See :class:`~smallhours.domain.oversight.Oversight`. ``clock``: seconds, UTC."""

    database: Database
    memory: SqlMemory
    audit: AuditLog
    clock: Callable[[], float] = time.time

    async def holdings(self) -> Holdings:
        """How much is kept, and until when."""
        columns = conversation.c
        counted = select(func.count(), func.min(columns.created), func.min(columns.expires))
        over = select(func.count()).where(columns.expires < int(self.clock()))
        async with self.database.reading() as connection:
            count, created, expires = (await connection.execute(counted)).one()
            overdue = (await connection.execute(over)).scalar_one()
        return Holdings(
            conversations=count,
            overdue=overdue,
            oldest=None if created is None else moment(created),
            next_expiry=None if expires is None else moment(expires),
        )

    async def reports(self) -> Sequence[Report]:
        """What was reported, the newest first."""
        told = (
            select(report, conversation.c.locale, conversation.c.exchanges)
            .join(conversation, conversation.c.id == report.c.conversation_id)
            .order_by(report.c.at.desc(), report.c.conversation_id, report.c.fault)
        )
        async with self.database.reading() as connection:
            rows = (await connection.execute(told)).all()
        found: dict[str, Report] = {}
        for row in rows:
            name, before = row.conversation_id, found.get(row.conversation_id)
            found[name] = Report(
                conversation=name,
                faults=(*(before.faults if before else ()), row.fault),
                at=before.at if before else moment(row.at),
                locale=row.locale,
                exchanges=row.exchanges,
            )
        return list(found.values())

    async def open(self, conversation_id: str, operator: str, reason: str) -> Remembered | None:
        """A reported conversation; who asked, and why, is on disk before anything is read."""
        await self.audit.write(operator, "open", conversation_id, reason)
        if not await self._reported(conversation_id):
            return None
        try:
            return await self.memory.read_as_operator(conversation_id)
        except MissingError:  # its owner has just destroyed its key
            return None

    async def settle(self, conversation_id: str, operator: str, reason: str) -> bool:
        """Take its reports off the list: from then on it cannot be opened here any more."""
        await self.audit.write(operator, "settle", conversation_id, reason)
        async with self.database.writing() as connection:
            gone = await connection.execute(delete(report).where(report.c.conversation_id == conversation_id))
        return gone.rowcount > 0

    async def close(self) -> None:
        """Let go of the databases."""
        await self.memory.close()

    async def log(self) -> tuple[Sequence[Access], int | None]:
        """Every look, and where the chain breaks, if it does."""
        return await self.audit.entries()

    async def _reported(self, conversation_id: str) -> bool:
        mine = select(func.count()).where(report.c.conversation_id == conversation_id)
        async with self.database.reading() as connection:
            return (await connection.execute(mine)).scalar_one() > 0
