"""What a database can suffer: each is done to a real one, and none loses what was acknowledged."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smallhours.domain.errors import StoreError
from smallhours.domain.memory import Memory
from smallhours.serve.memory import lazy
from smallhours.serve.memory.lazy import LazyMemory
from tests.services import Postgres
from tests.unit.serve.memory.conftest import Place, fresh_database, place, sqlite_place

pytestmark = pytest.mark.anyio


async def one_said(here: Place, text: str = "before") -> tuple[str, str]:
    begun = await here.memory.begin("en")
    await here.memory.hear(begun.id, text, [])
    return begun.id, begun.token


async def test_a_locked_database_is_said_in_time_and_used_again(tmp_path: Path) -> None:
    on_disk = sqlite_place(tmp_path, timeout=2)
    name, token = await one_said(on_disk)
    locker = sqlite3.connect(on_disk.folder / "memory.db", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    with pytest.raises(StoreError, match="locked"):
        await on_disk.memory.hear(name, "while locked", [])
    assert time.monotonic() - began < 4
    locker.execute("ROLLBACK")
    locker.close()
    await on_disk.memory.hear(name, "after", [])
    found = await on_disk.memory.read(name, token)
    assert found and [e.content for e in found.exchanges] == ["before", "after"]
    await on_disk.memory.close()


async def test_a_corrupt_file_is_an_error_and_never_other_words(on_disk: Place) -> None:
    name, token = await one_said(on_disk, "x" * 5000)
    await on_disk.memory.close()
    path = on_disk.folder / "memory.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xa5" * (len(whole) - 100))
    broken = on_disk.again()
    with pytest.raises(StoreError):
        await broken.memory.read(name, token)
    await broken.memory.close()
    path.write_bytes(whole)
    restored = on_disk.again()
    found = await restored.memory.read(name, token)
    assert found and found.exchanges[0].content == "x" * 5000
    await restored.memory.close()


async def test_a_file_that_is_gone_is_no_empty_memory_and_is_used_when_it_is_back(on_disk: Place) -> None:
    name, token = await one_said(on_disk)
    elsewhere = on_disk.folder / "elsewhere"
    elsewhere.mkdir()
    for path in list(on_disk.folder.glob("memory.db*")):
        path.rename(elsewhere / path.name)
    for _ in range(2):
        with pytest.raises(StoreError, match="gone"):
            await on_disk.memory.hear(name, "while gone", [])
    assert not list(on_disk.folder.glob("memory.db*"))
    for path in elsewhere.iterdir():
        shutil.move(path, on_disk.folder / path.name)
    await on_disk.memory.hear(name, "after", [])
    found = await on_disk.memory.read(name, token)
    assert found and [e.content for e in found.exchanges] == ["before", "after"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mounted],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"mounting a small disk needs rights that are not here: {done.stderr.strip()}")
    yield mounted
    subprocess.run(["umount", "-l", mounted], check=True)


async def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    here = sqlite_place(small_disk)
    name, token = await one_said(here)
    kept = 1
    with pytest.raises(StoreError, match="full"):
        for n in range(200):
            await here.memory.hear(name, f"{n} " + "x" * 20_000, [])
            kept += 1
    found = await here.memory.read(name, token)
    assert found and len(found.exchanges) == kept > 5
    await here.memory.close()


async def test_a_read_only_disk_is_said_and_used_again_when_it_can_be_written(small_disk: Path) -> None:
    here = sqlite_place(small_disk)
    name, token = await one_said(here)
    await here.memory.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    here = here.again()
    with pytest.raises(StoreError):
        await here.memory.hear(name, "while read-only", [])
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    await here.memory.hear(name, "after", [])
    found = await here.memory.read(name, token)
    assert found and [e.content for e in found.exchanges] == ["before", "after"]
    await here.memory.close()


async def test_a_server_that_is_gone_is_used_again_when_it_is_back(server: Postgres, tmp_path: Path) -> None:
    url = await fresh_database(server)
    here = place(tmp_path, url, url)
    name, token = await one_said(here)
    server.stop("immediate")
    try:
        with pytest.raises(StoreError):
            await here.memory.read(name, token)
    finally:
        server.start()
    await here.memory.hear(name, "after", [])
    found = await here.memory.read(name, token)
    assert found and [e.content for e in found.exchanges] == ["before", "after"]
    await here.memory.close()


async def test_two_processes_may_open_a_new_database_at_once(at: Place) -> None:
    others = [at.again() for _ in range(3)]
    begun = await asyncio.gather(*(here.memory.begin("en") for here in (at, *others)))
    for here, one in zip((at, *others), begun, strict=True):
        assert await at.memory.read(one.id, one.token) is not None
        await here.memory.close()


async def test_while_it_is_away_nobody_waits_and_then_it_is_tried_again(
    on_disk: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy, "_FIRST_PAUSE", 0.2)
    opened = []

    def opener() -> Memory:
        opened.append(1)
        if len(opened) == 1:
            raise StoreError("not yet")
        return on_disk.memory

    failures: list[int] = []
    memory = LazyMemory(opener, lambda: failures.append(1))
    assert memory.available and not opened
    for _ in range(3):
        with pytest.raises(StoreError):
            await memory.begin("en")
    assert not memory.available and len(opened) == len(failures) == 1
    await asyncio.sleep(0.25)
    assert (await memory.begin("en")).locale == "en" and len(opened) == 2
