"""Reports: conversations that their owners asked the operator to look into."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    owner = sa.ForeignKey("conversation.id", ondelete="CASCADE")
    op.create_table(
        "report",
        sa.Column("conversation_id", sa.String(32), owner, primary_key=True),
        sa.Column("fault", sa.String(20), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("report")
