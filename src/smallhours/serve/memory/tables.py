"""The tables. Whatever a person said, or was found in it, stands in a sealed column.

Times are whole seconds since 1970, UTC. ``conversation_key`` may live in another database of the same shape.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

# SQLite numbers rows by itself only where the type is INTEGER.
_RowId = BigInteger().with_variant(Integer, "sqlite")


def _conversation_id() -> Column[str]:
    return Column(
        "conversation_id",
        ForeignKey("conversation.id", ondelete="CASCADE"),
        primary_key=True,
    )


conversation = Table(
    "conversation",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_hash", LargeBinary(32), nullable=False),
    Column("locale", String(35), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("exchanges", Integer, nullable=False, server_default="0"),
    Column("summarised", Integer, nullable=False, server_default="0"),
    Column("summary", LargeBinary),
    Index("conversation_expires", "expires"),
)

conversation_key = Table(
    "conversation_key",
    metadata,
    Column("conversation_id", String(32), primary_key=True),  # no foreign key: it may live elsewhere
    Column("master", String(64), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index("conversation_key_master", "master"),
)

exchange = Table(
    "exchange",
    metadata,
    _conversation_id(),
    Column("number", Integer, primary_key=True),
    Column("once", LargeBinary(32)),
    Column("created", BigInteger, nullable=False),
    Column("said", LargeBinary, nullable=False),
    Column("replied", BigInteger),
    Column("reply", LargeBinary),
    UniqueConstraint("conversation_id", "once", name="exchange_once"),
)

risk = Table(
    "risk",
    metadata,
    _conversation_id(),
    Column("number", Integer, primary_key=True),
    Column("findings", LargeBinary, nullable=False),
)

fact = Table(
    "fact",
    metadata,
    _conversation_id(),
    Column("number", Integer, primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

report = Table(
    "report",
    metadata,
    _conversation_id(),
    Column("fault", String(20), primary_key=True),  # one of a closed list, never words
    Column("at", BigInteger, nullable=False),
)

access = Table(
    "operator_access",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("operator", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("conversation_id", String(32), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("chain", LargeBinary(32), nullable=False, unique=True),
)
