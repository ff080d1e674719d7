"""What an operator sees of the memory, and that only what its owner reported can be opened."""

from __future__ import annotations

import pytest

from smallhours.domain.errors import MissingError, StoreError
from smallhours.domain.oversight import Holdings
from smallhours.serve.memory.oversight import SqlOversight
from tests.unit.serve.memory.conftest import Place

DAY = 86_400


def overseen(at: Place) -> SqlOversight:
    return SqlOversight(at.database, at.memory, at.audit, at.clock)


@pytest.mark.anyio
async def test_what_is_kept_is_counted_and_what_is_past_its_time_shows(at: Place) -> None:
    oversight = overseen(at)
    assert await oversight.holdings() == Holdings()
    first = await at.memory.begin("en")
    at.clock.ahead = 20 * DAY
    await at.memory.begin("de")
    held = await oversight.holdings()
    assert (held.conversations, held.overdue) == (2, 0)
    assert (held.oldest, held.next_expiry) == (first.created, first.expires)
    at.clock.ahead = 31 * DAY
    assert (await oversight.holdings()).overdue == 1


@pytest.mark.anyio
async def test_reports_are_listed_once_a_conversation_the_newest_first(at: Place) -> None:
    oversight = overseen(at)
    old, new = await at.memory.begin("en"), await at.memory.begin("de")
    await at.memory.hear(new.id, "hello", [])
    await at.memory.report(old.id, "wrong")
    at.clock.ahead = 60
    await at.memory.report(new.id, "hurtful")
    await at.memory.report(new.id, "hurtful")  # once more is the same
    at.clock.ahead = 120
    await at.memory.report(new.id, "dangerous")
    listed = [(one.conversation, one.faults, one.exchanges) for one in await oversight.reports()]
    assert listed == [(new.id, ("dangerous", "hurtful"), 1), (old.id, ("wrong",), 0)]


@pytest.mark.anyio
async def test_only_what_was_reported_opens_and_every_attempt_is_on_disk_first(at: Place) -> None:
    oversight = overseen(at)
    begun, other = await at.memory.begin("en"), await at.memory.begin("en")
    await at.memory.hear(begun.id, "a long night", [])
    await at.memory.report(begun.id, "wrong")
    opened = await oversight.open(begun.id, "ana", "to see what was wrong")
    assert opened and [one.content for one in opened.exchanges] == ["a long night"]
    assert await oversight.open(other.id, "ana", "curious") is None
    assert await oversight.settle(begun.id, "ana", "mended")
    assert not await oversight.settle(begun.id, "ana", "again")
    assert await oversight.open(begun.id, "ana", "once more") is None
    entries, broken = await oversight.log()
    assert [(one.action, one.reason) for one in entries] == [
        ("open", "to see what was wrong"),
        ("open", "curious"),
        ("settle", "mended"),
        ("settle", "again"),
        ("open", "once more"),
    ]
    assert broken is None


@pytest.mark.anyio
async def test_a_report_goes_with_its_conversation(at: Place) -> None:
    oversight = overseen(at)
    begun = await at.memory.begin("en")
    await at.memory.report(begun.id, "other")
    await at.keyring.destroy([begun.id])  # the first half of deleting: its words are gone already
    assert await oversight.open(begun.id, "ana", "too late") is None
    await at.memory.forget(begun.id)
    assert await oversight.reports() == []
    with pytest.raises(MissingError):
        await at.memory.report(begun.id, "other")


@pytest.mark.anyio
async def test_nothing_is_opened_that_cannot_be_written_down(at: Place) -> None:
    begun = await at.memory.begin("en")
    await at.memory.report(begun.id, "wrong")
    async with at.database.writing() as connection:
        await connection.exec_driver_sql("DROP TABLE operator_access")
    with pytest.raises(StoreError):
        await overseen(at).open(begun.id, "ana", "to see")


@pytest.mark.anyio
async def test_a_memory_from_before_there_were_reports_learns_to_have_them(at: Place) -> None:
    begun = await at.memory.begin("en")
    async with at.database.writing() as connection:
        await connection.exec_driver_sql("DROP TABLE report")
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    later = at.again()
    await later.memory.report(begun.id, "wrong")
    assert [one.conversation for one in await overseen(later).reports()] == [begun.id]
    await later.memory.close()
