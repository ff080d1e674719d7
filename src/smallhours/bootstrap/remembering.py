"""The memory of a gateway: databases, keys, retention and the operators' log, as the settings name them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.serve.memory.audit import AuditLog
    from smallhours.serve.memory.database import Database
    from smallhours.serve.memory.keyring import Keyring
    from smallhours.serve.memory.oversight import SqlOversight
    from smallhours.serve.memory.retention import Retention
    from smallhours.serve.memory.store import SqlMemory

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Room:
    """Everything about what is remembered."""

    database: Database
    keyring: Keyring
    memory: SqlMemory
    retention: Retention
    audit: AuditLog
    oversight: SqlOversight
    master_file: Path | None


def memory_folder(settings: Settings) -> Path:
    """Where files go that the settings name no place for."""
    return settings.runs / "memory"


def memory_url(settings: Settings) -> str:
    """The database of conversations."""
    return settings.memory.url or f"{SQLITE}{memory_folder(settings).absolute() / 'memory.db'}"


def key_url(settings: Settings) -> str:
    """The database of their keys: a SQLite file of its own, or the same server, unless the settings say."""
    if settings.memory.key_url:
        return settings.memory.key_url
    url = memory_url(settings)
    return f"{SQLITE}{Path(url.removeprefix(SQLITE)).parent / 'keys.db'}" if url.startswith(SQLITE) else url


def master_file(settings: Settings) -> Path | None:
    """The file of master keys, if they are in a file."""
    kind, _, name = settings.memory.master.partition(":")
    if kind == "file":
        return Path(name)
    return None if kind else memory_folder(settings) / "master.key"


def anything_remembered(settings: Settings) -> bool:
    """Whether there is a database: a server, or a file that somebody's consent made."""
    url = memory_url(settings)
    return not url.startswith(SQLITE) or Path(url.removeprefix(SQLITE)).exists()


def open_room(settings: Settings) -> Room:
    """Open the memory; databases connect on first use.

    Raises:
        SettingsError: the master keys are not where the settings say, or a package is missing.
    """
    from smallhours.domain.errors import SettingsError

    try:
        from smallhours.serve.memory.audit import AuditLog
        from smallhours.serve.memory.database import Database
        from smallhours.serve.memory.keyring import Keyring
        from smallhours.serve.memory.masters import open_masters
        from smallhours.serve.memory.oversight import SqlOversight
        from smallhours.serve.memory.retention import Retention
        from smallhours.serve.memory.store import SqlMemory
    except ImportError as error:
        raise SettingsError(
            f"memory: needs {error.name}; install it with: pip install 'smallhours[serve]'"
        ) from None
    ours = settings.memory
    masters = open_masters(ours.master, memory_folder(settings) / "master.key", os.environ)
    database = Database(memory_url(settings), ours.timeout_seconds)
    apart = key_url(settings) != memory_url(settings)
    keyring = Keyring(Database(key_url(settings), ours.timeout_seconds) if apart else database, masters)
    memory = SqlMemory(database, keyring, ours.retention_days, ours.max_exchanges)
    audit = AuditLog(database)
    return Room(
        database,
        keyring,
        memory,
        Retention(database, memory),
        audit,
        SqlOversight(database, memory, audit),
        master_file(settings),
    )


def purging(settings: Settings) -> Callable[[], Awaitable[int | None]]:
    """Deletes what was kept long enough; opens the memory when there is one."""
    find = once_there(settings)

    async def purge() -> int | None:
        room = find()
        return await room.retention.purge() if room else 0

    return purge


def overseeing(settings: Settings) -> Callable[[], SqlOversight | None]:
    """The operator's view, once there is something to see; opened with the first look."""
    find = once_there(settings)

    def oversight() -> SqlOversight | None:
        room = find()
        return room.oversight if room else None

    return oversight


def once_there(settings: Settings) -> Callable[[], Room | None]:
    """The memory, opened when it is first asked for and there is one: nothing is written before that."""
    rooms: list[Room] = []

    def find() -> Room | None:
        if not rooms and anything_remembered(settings):
            rooms.append(open_room(settings))
        return rooms[0] if rooms else None

    return find
