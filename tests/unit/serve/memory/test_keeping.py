"""Master keys and their rotation, retention, and the operators' log."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhours.domain.errors import SettingsError, StoreError
from smallhours.serve.memory.masters import LocalMasters, add_master, keep_masters, open_masters, parse
from smallhours.serve.memory.retention import TOLERATED, Retention
from smallhours.serve.memory.sealing import new_key, seal, unseal
from tests.unit.serve.memory.conftest import Place

DAY = 86_400


@given(st.binary(max_size=200), st.lists(st.text(max_size=5), min_size=1, max_size=3))
def test_what_is_sealed_opens_in_its_place_and_nowhere_else(data: bytes, place: list[str]) -> None:
    key = new_key()
    sealed = seal(key, data, *place)
    assert unseal(key, sealed, *place) == data
    for other in ([*place, ""], ["x", *place], ["".join(place), "y"]):
        with pytest.raises(StoreError):
            unseal(key, sealed, *other)
    with pytest.raises(StoreError):
        unseal(new_key(), sealed, *place)


@pytest.mark.parametrize(
    "text", ["", "k1", "k1:short", "k1:" + base64.b64encode(b"x" * 31).decode(), ":" + "A" * 44]
)
def test_a_bad_master_key_is_named_by_its_line(text: str) -> None:
    with pytest.raises(SettingsError, match=r"keys"):
        parse(text, "keys")


def test_master_keys_come_from_a_variable_a_file_or_a_hook(tmp_path: Path) -> None:
    line = f"k1:{base64.b64encode(new_key()).decode()}"
    wrapped = open_masters("env:M", tmp_path, {"M": line}).wrap(b"k" * 32, "c")
    (tmp_path / "m").write_text(line)
    assert open_masters(f"file:{tmp_path / 'm'}", tmp_path, {}).unwrap(*wrapped, "c") == b"k" * 32
    hook = "tests.unit.serve.memory.test_keeping:hooked"
    assert open_masters(f"hook:{hook}", tmp_path, {}).current == "from the hook"
    for missing in ("env:M", f"file:{tmp_path / 'n'}", "hook:tests:nothing"):
        with pytest.raises(SettingsError, match=r"memory\.master"):
            open_masters(missing, tmp_path, {})


class hooked:  # noqa: N801 - a factory, as an operator may write one
    current = "from the hook"


def test_a_file_of_master_keys_is_for_its_owner_alone(tmp_path: Path) -> None:
    add_master(tmp_path / "sub" / "m")
    assert (tmp_path / "sub" / "m").stat().st_mode & 0o777 == 0o600


@pytest.mark.anyio
async def test_rotation_while_another_process_reads_and_writes(at: Place) -> None:
    begun = [await at.memory.begin("en") for _ in range(5)]
    for one in begun:
        await at.memory.hear(one.id, f"of {one.id}", [])
    other = at.again()  # a gateway that goes on
    old, new = at.keyring.masters.current, add_master(at.master_file)

    async def talk() -> None:
        for one in begun:
            found = await other.memory.read(one.id, one.token)
            assert found and found.exchanges[0].content == f"of {one.id}"
            await other.memory.hear(one.id, "still here", [])

    done, _ = await asyncio.gather(at.keyring.rewrap(), talk())
    assert done == 5 and await at.keyring.masters_in_use() == {new: 5}
    assert keep_masters(at.master_file, {new}) == [old]
    await talk()
    with pytest.raises(StoreError, match="no master key"):
        LocalMasters(at.master_file, "m").unwrap(old, b"", "c")
    await other.memory.close()


@pytest.mark.anyio
async def test_what_was_kept_long_enough_goes_and_the_rest_stays(at: Place) -> None:
    old = await at.memory.begin("en")
    at.clock.ahead = 20 * DAY
    young = await at.memory.begin("en")
    assert await at.retention.purge() == 0
    at.clock.ahead = 31 * DAY
    fresh = Retention(at.database, at.memory, wall=at.clock)
    assert await fresh.purge() == 1
    assert await at.memory.read(old.id, old.token) is None
    assert await at.memory.read(young.id, young.token) is not None


@pytest.mark.anyio
async def test_a_message_makes_its_conversation_last_longer(at: Place) -> None:
    begun = await at.memory.begin("en")
    at.clock.ahead = 29 * DAY
    await at.memory.hear(begun.id, "i am still here", [])
    at.clock.ahead = 40 * DAY
    assert await at.retention.purge() == 0 and await at.memory.read(begun.id, begun.token) is not None


@pytest.mark.anyio
async def test_a_clock_that_jumps_deletes_nothing(at: Place) -> None:
    begun = await at.memory.begin("en")
    assert await at.retention.purge() == 0
    at.clock.ahead = 400 * DAY  # a wrong date, for a moment
    assert await at.retention.purge() is None
    at.clock.ahead = 0
    assert await at.retention.purge() is None  # it jumped back
    assert await at.retention.purge() == 0
    assert await at.memory.read(begun.id, begun.token) is not None
    at.clock.ahead = TOLERATED / 2
    assert await at.retention.purge() == 0


@pytest.mark.anyio
async def test_every_look_is_written_down_and_a_change_shows(at: Place) -> None:
    for n in range(3):
        await at.audit.write("ana", "show", f"c{n}", "asked")
    entries, broken = await at.audit.entries()
    assert [(e.operator, e.conversation) for e in entries] == [("ana", "c0"), ("ana", "c1"), ("ana", "c2")]
    assert broken is None
    async with at.database.writing() as connection:
        await connection.exec_driver_sql(
            "UPDATE operator_access SET operator = 'bo' WHERE conversation_id = 'c1'"
        )
    assert (await at.audit.entries())[1] == 1
    async with at.database.writing() as connection:
        await connection.exec_driver_sql("DELETE FROM operator_access WHERE conversation_id = 'c1'")
    assert (await at.audit.entries())[1] == 1
