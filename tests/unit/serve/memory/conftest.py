"""Memories over real databases: each test that asks for one runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from smallhours.serve.memory.audit import AuditLog
from smallhours.serve.memory.database import Database
from smallhours.serve.memory.keyring import Keyring
from smallhours.serve.memory.masters import LocalMasters, add_master
from smallhours.serve.memory.retention import Retention
from smallhours.serve.memory.store import SqlMemory
from tests.services import Postgres, postgres


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Clock:
    """A wall clock that a test can set."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Place:
    """A memory and where it lives."""

    memory: SqlMemory
    database: Database
    keyring: Keyring
    retention: Retention
    audit: AuditLog
    clock: Clock
    master_file: Path
    folder: Path
    url: str
    key_url: str

    def again(self) -> Place:
        """The same place, opened by another process, as it were."""
        return place(self.folder, self.url, self.key_url)


def place(folder: Path, url: str, key_url: str, max_exchanges: int = 200, timeout: float = 15) -> Place:
    master_file = folder / "master.key"
    if not master_file.exists():
        add_master(master_file)
    clock = Clock()
    database = Database(url, timeout)
    keyring = Keyring(
        database if key_url == url else Database(key_url, timeout), LocalMasters(master_file, "master.key")
    )
    memory = SqlMemory(database, keyring, 30, max_exchanges, clock)
    retention = Retention(database, memory, wall=clock)
    return Place(
        memory, database, keyring, retention, AuditLog(database), clock, master_file, folder, url, key_url
    )


def sqlite_place(folder: Path, **more: int) -> Place:
    return place(folder, f"sqlite:///{folder}/memory.db", f"sqlite:///{folder}/keys.db", **more)


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


async def fresh_database(server: Postgres) -> str:
    name = f"t{secrets.token_hex(6)}"
    connection = await asyncpg.connect(server.url("postgres"))
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return server.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
async def at(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    if request.param == "sqlite":
        here = sqlite_place(tmp_path)
    else:
        url = await fresh_database(request.getfixturevalue("server"))
        here = place(tmp_path, url, url)
    yield here
    await here.memory.close()


@pytest.fixture
async def on_disk(tmp_path: Path) -> AsyncIterator[Place]:
    """SQLite alone, for what only a file can suffer."""
    here = sqlite_place(tmp_path)
    yield here
    await here.memory.close()
    await asyncio.sleep(0)
