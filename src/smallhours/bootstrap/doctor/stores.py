"""What is remembered, and the master keys that open it. Nothing is made that is not there."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from importlib.util import find_spec

from smallhours.bootstrap import remembering
from smallhours.bootstrap.doctor.check import Check, error, ok, warning
from smallhours.domain.errors import StoreError
from smallhours.domain.settings import Settings

PACKAGES = {"sqlalchemy": "serve", "aiosqlite": "serve", "cryptography": "serve", "alembic": "serve"}


def memory(settings: Settings) -> Iterator[Check]:
    """The databases answer, and a SQLite file is sound."""
    if not settings.memory.enabled:
        yield ok("memory", "off: nothing is remembered")
        return
    server = settings.memory.url.startswith("postgresql")
    needed = PACKAGES | ({"asyncpg": "postgres"} if server else {})
    absent = [name for name in needed if find_spec(name) is None]
    if absent:
        extra = needed[absent[0]]
        yield error("memory", f"needs {', '.join(absent)}", f"pip install 'smallhours[{extra}]'")
        return
    if not remembering.anything_remembered(settings):
        yield ok("memory", "nothing is kept yet; the first person who agrees makes the database")
        return
    from smallhours.serve.memory.database import Database

    for url in dict.fromkeys((remembering.memory_url(settings), remembering.key_url(settings))):
        database = Database(url, settings.memory.timeout_seconds)
        try:
            made = asyncio.run(database.look())
        except StoreError as problem:
            yield error(
                "memory", str(problem), "start it, restore it, or correct memory.url and memory.key_url"
            )
        else:
            yield ok("memory", f"{database.name}: answers{'' if made else ', no tables yet'}")


def master_keys(settings: Settings) -> Iterator[Check]:
    """The master keys can be read, by their owner alone."""
    if not settings.memory.enabled or find_spec("cryptography") is None:
        return
    from smallhours.serve.memory.masters import open_masters

    path = remembering.master_file(settings)
    if path is not None and not path.exists():
        if remembering.anything_remembered(settings) or settings.memory.master:
            yield error(
                "master keys",
                f"{path}: not there, so nothing that was kept can be read",
                "restore it from its backup; before the first start, 'smallhours memory rotate' makes it",
            )
        else:
            yield ok("master keys", f"{path}: made with the database")
        return
    default = remembering.memory_folder(settings) / "master.key"
    current = open_masters(settings.memory.master, default, os.environ).current
    if path is not None and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield warning("master keys", f"{path}: others may read it", f"chmod 600 {path}")
    else:
        yield ok("master keys", f"{path or settings.memory.master}: current is '{current}'")
