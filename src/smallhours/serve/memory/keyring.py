"""The key of each conversation, wrapped, in a database of its own if one is named.

Without its row, nothing of the conversation can be read again; that is how it is deleted, at once and in
every backup that does not hold this table.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update

from smallhours.domain.errors import MissingError
from smallhours.serve.memory.database import Database
from smallhours.serve.memory.masters import Masters
from smallhours.serve.memory.sealing import new_key
from smallhours.serve.memory.tables import conversation_key

_TOGETHER = 200  # keys wrapped anew in one transaction


@dataclass(frozen=True)
class Keyring:
    """Keys by conversation. Opened ones are never cached, so that a destroyed one is gone everywhere."""

    database: Database
    masters: Masters

    async def make(self, conversation: str) -> bytes:
        """A new key, on disk."""
        key = new_key()
        master, wrapped = self.masters.wrap(key, conversation)
        async with self.database.writing() as connection:
            await connection.execute(
                insert(conversation_key).values(conversation_id=conversation, master=master, wrapped=wrapped)
            )
        return key

    async def open(self, conversation: str) -> bytes:
        """The key. Raises MissingError if it was destroyed, StoreError if it cannot be had."""
        async with self.database.reading() as connection:
            row = (
                await connection.execute(
                    select(conversation_key).where(conversation_key.c.conversation_id == conversation)
                )
            ).one_or_none()
        if row is None:
            raise MissingError(f"conversation {conversation}: gone")
        return self.masters.unwrap(row.master, row.wrapped, conversation)

    async def destroy(self, conversations: list[str]) -> int:
        """Delete keys, and overwrite them where the database can; how many there were."""
        async with self.database.writing() as connection:
            gone = await connection.execute(
                delete(conversation_key).where(conversation_key.c.conversation_id.in_(conversations))
            )
        await self.database.shred()
        return gone.rowcount

    async def rewrap(self) -> int:
        """Wrap every key with the current master key; how many were not. Others go on reading meanwhile."""
        done, current = 0, self.masters.current
        while True:
            async with self.database.writing() as connection:
                rows = (
                    await connection.execute(
                        select(conversation_key)
                        .where(conversation_key.c.master != current)
                        .limit(_TOGETHER)
                        .with_for_update(skip_locked=True)
                    )
                ).all()
                for row in rows:
                    key = self.masters.unwrap(row.master, row.wrapped, row.conversation_id)
                    master, wrapped = self.masters.wrap(key, row.conversation_id)
                    await connection.execute(
                        update(conversation_key)
                        .where(conversation_key.c.conversation_id == row.conversation_id)
                        .values(master=master, wrapped=wrapped)
                    )
            if not rows:
                return done
            done += len(rows)

    async def masters_in_use(self) -> dict[str, int]:
        """How many keys each master key wraps."""
        column = conversation_key.c.master
        async with self.database.reading() as connection:
            rows = (await connection.execute(select(column, func.count().label("n")).group_by(column))).all()
        return {row.master: row.n for row in rows}
