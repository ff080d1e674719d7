"""What whoever runs the service may know of what is remembered: counts, reports, and who looked at what.

No text of a person is in any of it; a conversation itself is opened one at a time, with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from smallhours.domain.memory import Remembered
from smallhours.domain.messages import Frozen


class Holdings(Frozen):
    """How much is kept: ``overdue`` conversations are past their time and not deleted yet."""

    conversations: int = 0
    overdue: int = 0
    oldest: datetime | None = None
    next_expiry: datetime | None = None


class Report(Frozen):
    """A fault in a kept conversation, which its owner asked us to look into."""

    conversation: str
    faults: tuple[str, ...]
    at: datetime
    locale: str
    exchanges: int


class Access(Frozen):
    """Who looked at or changed what, when and why; ``chain`` binds it to the entry before."""

    at: datetime
    operator: str
    action: str
    conversation: str
    reason: str
    chain: str


class Oversight(Protocol):
    """What an operator may see and do. Every call raises StoreError when the store does not answer."""

    async def holdings(self) -> Holdings:
        """How much is kept, and until when."""
        ...

    async def reports(self) -> Sequence[Report]:
        """The conversations that their owners asked us to look into, the newest first."""
        ...

    async def open(self, conversation: str, operator: str, reason: str) -> Remembered | None:
        """A reported conversation, after the access was written down; None if nobody reported it."""
        ...

    async def settle(self, conversation: str, operator: str, reason: str) -> bool:
        """Take the reports of a conversation off the list, written down likewise; whether there were any."""
        ...

    async def close(self) -> None:
        """Let go of the store."""
        ...

    async def log(self) -> tuple[Sequence[Access], int | None]:
        """All entries, oldest first, and the number of the first that does not fit its chain, if any."""
        ...
