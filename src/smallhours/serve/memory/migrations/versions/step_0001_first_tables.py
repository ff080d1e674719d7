"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("exchanges", sa.Integer, nullable=False, server_default="0"),
        sa.Column("summarised", sa.Integer, nullable=False, server_default="0"),
        sa.Column("summary", sa.LargeBinary),
    )
    op.create_index("conversation_expires", "conversation", ["expires"])
    op.create_table(
        "conversation_key",
        sa.Column("conversation_id", sa.String(32), primary_key=True),
        sa.Column("master", sa.String(64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.create_index("conversation_key_master", "conversation_key", ["master"])
    op.create_table(
        "exchange",
        *_numbered(),
        sa.Column("once", sa.LargeBinary(32)),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("said", sa.LargeBinary, nullable=False),
        sa.Column("replied", sa.BigInteger),
        sa.Column("reply", sa.LargeBinary),
        sa.UniqueConstraint("conversation_id", "once", name="exchange_once"),
    )
    op.create_table("risk", *_numbered(), sa.Column("findings", sa.LargeBinary, nullable=False))
    op.create_table(
        "fact",
        *_numbered(),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "operator_access",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("operator", sa.String(200), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("chain", sa.LargeBinary(32), nullable=False, unique=True),
    )


def downgrade() -> None:
    """Drop them, and all that is remembered with them."""
    for table in ("operator_access", "fact", "risk", "exchange", "conversation_key", "conversation"):
        op.drop_table(table)


def _numbered() -> tuple[sa.Column[str], sa.Column[int]]:
    owner = sa.ForeignKey("conversation.id", ondelete="CASCADE")
    return (
        sa.Column("conversation_id", sa.String(32), owner, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
    )
