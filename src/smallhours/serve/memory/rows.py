"""From sealed rows to what was said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from smallhours.domain.errors import RefusedError
from smallhours.domain.memory import Exchange, Fact, Heard, Remembered, Reply
from smallhours.domain.risk import Finding
from smallhours.serve.memory.sealing import unseal


def opened(
    key: bytes,
    head: Row[Any],
    exchanges: Sequence[Row[Any]],
    facts: Sequence[Row[Any]],
    risks: Sequence[Row[Any]],
) -> Remembered:
    """A conversation, from all its rows. Raises StoreError if one of them does not open."""
    name = head.id
    summary = json.loads(unseal(key, head.summary, "summary", name)) if head.summary else []
    found = [
        Finding.model_validate(one | {"message": row.number})
        for row in risks
        for one in json.loads(unseal(key, row.findings, "risk", name, row.number))
    ]
    return Remembered(
        id=name,
        locale=head.locale,
        created=moment(head.created),
        expires=moment(head.expires),
        exchanges=tuple(
            Exchange(
                number=row.number,
                content=_said(key, row),
                created=moment(row.created),
                reply=reply_of(key, row),
            )
            for row in exchanges
        ),
        facts=tuple(
            Fact(
                id=row.number,
                text=unseal(key, row.body, "fact", name, row.number).decode("utf-8", "surrogatepass"),
                created=moment(row.created),
            )
            for row in facts
        ),
        risk=tuple(found),
        summary=tuple(summary),
        summarised=head.summarised,
    )


def heard_before(key: bytes, row: Row[Any], content: str) -> Heard:
    """A message that was stored under the same name. Raises RefusedError if it was another."""
    if _said(key, row) != content:
        raise RefusedError("this Idempotency-Key came with another message; use a new one for each")
    return Heard(number=row.number, reply=reply_of(key, row))


def _said(key: bytes, row: Row[Any]) -> str:
    place = "message", row.conversation_id, row.number
    return unseal(key, row.said, *place).decode("utf-8", "surrogatepass")


def reply_of(key: bytes, row: Row[Any]) -> Reply | None:
    """The reply in a row, if there is one."""
    if row.reply is None:
        return None
    data = json.loads(unseal(key, row.reply, "reply", row.conversation_id, row.number))
    return Reply(content=data["content"], about=data["about"], created=moment(row.replied))


def moment(seconds: int) -> datetime:
    """A stored time."""
    return datetime.fromtimestamp(seconds, UTC)


def as_bytes(text: str) -> bytes:
    """UTF-8, of half a surrogate pair, too: some clients cut text there."""
    return text.encode("utf-8", "surrogatepass")
