"""One database: SQLite or PostgreSQL behind the same few calls, its schema brought up to date when opened."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, event, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from smallhours.domain.errors import StoreError

_OPENING_SECONDS = 15.0  # the first time, tables are made; a connection alone has less time
_MIGRATIONS = Path(__file__).parent / "migrations"
# Alembic works through globals, so that one event loop migrates one database at a time.
_migrating: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_MIGRATION_LOCK = 7_240_813  # any number: processes that open one PostgreSQL at once take turns


class Database:
    """An engine that opens itself on first use, and tries again on the next use if that failed."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url = make_url(url)
        self._timeout = timeout_seconds
        self._engine: AsyncEngine | None = None
        self._opening = asyncio.Lock()
        self._inode: int | None = None

    @property
    def name(self) -> str:
        """For messages: without the password."""
        return self._url.render_as_string(hide_password=True)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read from. Raises StoreError when the database does not answer."""
        async with self._connection(write=False) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: on disk when the block ends, undone if it raises. Raises StoreError."""
        async with self._connection(write=True) as connection:
            yield connection

    @asynccontextmanager
    async def _connection(self, write: bool) -> AsyncIterator[AsyncConnection]:
        try:
            async with asyncio.timeout(max(self._timeout, _OPENING_SECONDS)) as limit:
                engine = await self._open()
            async with asyncio.timeout(self._timeout) as limit:
                async with engine.connect() as connection:
                    await connection.execution_options(immediate=write)
                    async with connection.begin():
                        yield connection
        except (SQLAlchemyError, OSError, sqlite3.Error, TimeoutError) as error:
            if isinstance(error, TimeoutError) and not limit.expired():
                raise
            raise StoreError(f"{self.name}: does not answer ({_cause(error)})") from None

    async def _open(self) -> AsyncEngine:
        """The engine. SQLite would go on writing to a file that was moved away, so that is looked at."""
        if self._engine is not None and self._file() != self._inode:
            await self.close()
        if self._engine is None:
            async with self._opening:
                if self._engine is None:
                    self._engine = await self._opened()
                    self._inode = self._file()
        return self._engine

    def _file(self) -> int | None:
        """Which file a SQLite database is; None for a server, or if it is gone."""
        if self._url.get_backend_name() != "sqlite":
            return None
        path = Path(str(self._url.database))
        return path.stat().st_ino if path.exists() else None

    async def _opened(self) -> AsyncEngine:
        engine = self._sqlite() if self._url.get_backend_name() == "sqlite" else self._postgres()
        one_at_a_time = _migrating.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        try:
            async with one_at_a_time, engine.connect() as connection:
                await connection.execution_options(immediate=True)
                async with connection.begin():
                    if self._url.get_backend_name() == "postgresql":
                        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
                    await connection.run_sync(_upgrade)
        except BaseException:
            await engine.dispose()
            raise
        return engine

    def _sqlite(self) -> AsyncEngine:
        path = Path(str(self._url.database))
        if self._inode is not None and not path.exists():
            # An empty database in its place would look as if nobody had ever been here.
            raise StoreError(f"{self.name}: the file is gone; put it back, or restart to begin afresh")
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        engine = create_async_engine(
            self._url.set(drivername="sqlite+aiosqlite"),
            hide_parameters=True,
            connect_args={"timeout": self._timeout / 2},
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine

    def _postgres(self) -> AsyncEngine:
        return create_async_engine(
            self._url.set(drivername="postgresql+asyncpg"),
            hide_parameters=True,
            pool_pre_ping=True,
            pool_timeout=self._timeout,
            connect_args={"timeout": self._timeout, "command_timeout": self._timeout},
        )

    async def look(self) -> bool:
        """Whether there are tables; nothing is made or brought up to date.

        Raises:
            StoreError: it does not answer, or a SQLite file is damaged.
        """
        sqlite = self._url.get_backend_name() == "sqlite"
        engine = create_async_engine(self._to_read(), hide_parameters=True) if sqlite else self._postgres()
        try:
            async with asyncio.timeout(_OPENING_SECONDS), engine.connect() as connection:
                if sqlite:
                    found = str((await connection.execute(text("PRAGMA quick_check(1)"))).scalar())
                    if found != "ok":
                        raise StoreError(f"{self.name}: damaged ({found})")
                return await connection.run_sync(lambda raw: inspect(raw).has_table("alembic_version"))
        except (SQLAlchemyError, OSError, sqlite3.Error) as error:
            raise StoreError(f"{self.name}: does not answer ({_cause(error)})") from None
        finally:
            await engine.dispose()

    def _to_read(self) -> URL:
        path = Path(str(self._url.database)).absolute().as_uri()
        return URL.create("sqlite+aiosqlite", database=path, query={"mode": "ro", "uri": "true"})

    async def shred(self) -> None:
        """Overwrite what was deleted, as far as the database lets us: SQLite's log is emptied."""
        if self._engine is not None and self._url.get_backend_name() == "sqlite":
            async with self._engine.connect() as connection:
                raw = await connection.get_raw_connection()
                await raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]

    async def close(self) -> None:
        """Let go of all connections."""
        if self._engine is not None:
            engine, self._engine = self._engine, None
            await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _prepare_sqlite(raw: Any, _: Any) -> None:
    raw.isolation_level = None  # transactions begin where we say so
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a commit is on disk, whatever happens to the process or the power
        "foreign_keys=ON",
        "secure_delete=ON",  # deleted bytes are overwritten with zeros
    ):
        raw.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _cause(error: BaseException) -> str:
    """What went wrong, without the statement, whose values may be anybody's words."""
    original = getattr(error, "orig", None) or error
    if isinstance(original, sqlite3.Error):
        return f"{type(original).__name__}: {original}"
    return type(original).__name__
