"""The memory behind the port: encrypted rows, one transaction per call."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from smallhours.domain.errors import MissingError, RefusedError
from smallhours.domain.memory import Begun, Fact, Fault, Heard, Remembered, Reply
from smallhours.domain.risk import Finding
from smallhours.serve.memory.database import Database
from smallhours.serve.memory.keyring import Keyring
from smallhours.serve.memory.rows import as_bytes, heard_before, moment, opened, reply_of
from smallhours.serve.memory.sealing import seal
from smallhours.serve.memory.tables import conversation, exchange, fact, report, risk

MOST_FACTS = 20
_DAY = 86_400


class SqlMemory:
    """Conversations in a :class:`Database`, their keys in a :class:`Keyring`. ``clock``: seconds, UTC."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        retention_days: int,
        max_exchanges: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._kept_seconds = retention_days * _DAY
        self._max_exchanges = max_exchanges
        self._clock = clock

    async def begin(self, locale: str) -> Begun:
        """A new conversation; its key first, since a key alone harms nobody."""
        name, token = secrets.token_hex(16), secrets.token_urlsafe(32)
        now = int(self._clock())
        await self._keyring.make(name)
        async with self._database.writing() as connection:
            await connection.execute(
                insert(conversation).values(
                    id=name,
                    token_hash=_hash(token),
                    locale=locale,
                    created=now,
                    expires=now + self._kept_seconds,
                )
            )
        return Begun(
            id=name, token=token, locale=locale, created=moment(now), expires=moment(now + self._kept_seconds)
        )

    async def read(self, conversation_id: str, token: str) -> Remembered | None:
        """Everything, if the token is right."""
        async with self._database.reading() as connection:
            head = await _head(connection, conversation_id)
            # The work is the same for an unknown name and a wrong token.
            known = head.token_hash if head is not None else bytes(32)
            if not hmac.compare_digest(known, _hash(token)) or head is None:
                return None
            rows = await _rows(connection, conversation_id)
        try:
            key = await self._keyring.open(conversation_id)
        except MissingError:
            return None
        return opened(key, head, *rows)

    async def read_as_operator(self, conversation_id: str) -> Remembered | None:
        """Everything, without its token. The caller has written the access down before."""
        async with self._database.reading() as connection:
            head = await _head(connection, conversation_id)
            if head is None:
                return None
            rows = await _rows(connection, conversation_id)
        return opened(await self._keyring.open(conversation_id), head, *rows)

    async def hear(
        self, conversation_id: str, content: str, findings: Sequence[Finding], once: str | None = None
    ) -> Heard:
        """Store a message and what has to be kept of its findings, in one transaction."""
        key = await self._keyring.open(conversation_id)
        named = _hash(f"{conversation_id}:{once}") if once is not None else None
        async with self._database.writing() as connection:
            head = await _head(connection, conversation_id, lock=True)
            if head is None:
                raise MissingError(f"conversation {conversation_id}: gone")
            if named is not None:
                same = exchange.c.conversation_id == conversation_id, exchange.c.once == named
                before = (await connection.execute(select(exchange).where(*same))).one_or_none()
                if before is not None:
                    return heard_before(key, before, content)
            now, number = int(self._clock()), head.exchanges
            await connection.execute(
                insert(exchange).values(
                    conversation_id=conversation_id,
                    number=number,
                    once=named,
                    created=now,
                    said=seal(key, as_bytes(content), "message", conversation_id, number),
                )
            )
            if findings:
                data = json.dumps([f.model_dump(mode="json") for f in findings]).encode()
                await connection.execute(
                    insert(risk).values(
                        conversation_id=conversation_id,
                        number=number,
                        findings=seal(key, data, "risk", conversation_id, number),
                    )
                )
            await connection.execute(
                update(conversation)
                .where(conversation.c.id == conversation_id)
                .values(exchanges=number + 1, expires=now + self._kept_seconds)
            )
            await self._trim(connection, conversation_id, number + 1)
        return Heard(number=number)

    async def _trim(self, connection: AsyncConnection, conversation_id: str, count: int) -> None:
        """Delete the oldest messages in full; what was found in them stays."""
        await connection.execute(
            delete(exchange).where(
                exchange.c.conversation_id == conversation_id,
                exchange.c.number < count - self._max_exchanges,
            )
        )

    async def answer(self, conversation_id: str, number: int, reply: Reply) -> Reply:
        """Store a reply unless there is one; whichever is stored then."""
        key = await self._keyring.open(conversation_id)
        place = exchange.c.conversation_id == conversation_id, exchange.c.number == number
        data = json.dumps({"content": reply.content, "about": reply.about}).encode()
        async with self._database.writing() as connection:
            stored = await connection.execute(
                update(exchange)
                .where(*place, exchange.c.reply.is_(None))
                .values(
                    reply=seal(key, data, "reply", conversation_id, number),
                    replied=int(reply.created.timestamp()),
                )
            )
            if stored.rowcount:
                return reply
            row = (await connection.execute(select(exchange).where(*place))).one_or_none()
        if row is None:
            raise MissingError(f"conversation {conversation_id}: gone")
        return reply_of(key, row) or reply

    async def summarise(self, conversation_id: str, summary: Sequence[str], summarised: int) -> None:
        """Replace the summary, unless a newer one is there."""
        key = await self._keyring.open(conversation_id)
        data = json.dumps(list(summary)).encode()
        async with self._database.writing() as connection:
            await connection.execute(
                update(conversation)
                .where(conversation.c.id == conversation_id, conversation.c.summarised < summarised)
                .values(summary=seal(key, data, "summary", conversation_id), summarised=summarised)
            )

    async def note(self, conversation_id: str, text: str) -> Fact:
        """Store a fact."""
        key = await self._keyring.open(conversation_id)
        async with self._database.writing() as connection:
            if await _head(connection, conversation_id, lock=True) is None:
                raise MissingError(f"conversation {conversation_id}: gone")
            mine = fact.c.conversation_id == conversation_id
            counted = select(func.count(), func.coalesce(func.max(fact.c.number), 0)).where(mine)
            count, last = (await connection.execute(counted)).one()
            if count >= MOST_FACTS:
                raise RefusedError(f"there are {MOST_FACTS} facts already; delete one first")
            now = int(self._clock())
            body = seal(key, as_bytes(text), "fact", conversation_id, last + 1)
            await connection.execute(
                insert(fact).values(conversation_id=conversation_id, number=last + 1, created=now, body=body)
            )
        return Fact(id=last + 1, text=text, created=moment(now))

    async def drop(self, conversation_id: str, number: int) -> bool:
        """Delete a fact."""
        async with self._database.writing() as connection:
            gone = await connection.execute(
                delete(fact).where(fact.c.conversation_id == conversation_id, fact.c.number == number)
            )
        return gone.rowcount > 0

    async def report(self, conversation_id: str, fault: Fault) -> None:
        """Store a report; the same fault twice is one, of the later time."""
        mine = report.c.conversation_id == conversation_id, report.c.fault == fault
        async with self._database.writing() as connection:
            if await _head(connection, conversation_id, lock=True) is None:
                raise MissingError(f"conversation {conversation_id}: gone")
            await connection.execute(delete(report).where(*mine))
            told = {"conversation_id": conversation_id, "fault": fault, "at": int(self._clock())}
            await connection.execute(insert(report).values(**told))

    async def forget(self, conversation_id: str) -> bool:
        """Destroy the key, then the rows."""
        return await self.forget_all([conversation_id]) > 0

    async def forget_all(self, conversations: list[str]) -> int:
        """Destroy several; how many keys there were."""
        destroyed = await self._keyring.destroy(conversations)
        async with self._database.writing() as connection:
            await connection.execute(delete(conversation).where(conversation.c.id.in_(conversations)))
        return destroyed

    async def close(self) -> None:
        """Let go of both databases."""
        await self._database.close()
        if self._keyring.database is not self._database:
            await self._keyring.database.close()


async def _head(connection: AsyncConnection, conversation_id: str, lock: bool = False) -> Row[Any] | None:
    found = select(conversation).where(conversation.c.id == conversation_id)
    return (await connection.execute(found.with_for_update() if lock else found)).one_or_none()


async def _rows(connection: AsyncConnection, conversation_id: str) -> list[Sequence[Row[Any]]]:
    return [
        (
            await connection.execute(
                select(table).where(table.c.conversation_id == conversation_id).order_by(table.c.number)
            )
        ).all()
        for table in (exchange, fact, risk)
    ]


def _hash(text: str) -> bytes:
    """Enough for what we hash: tokens and names with 128 random bits or more, never passwords."""
    return hashlib.sha256(as_bytes(text)).digest()
