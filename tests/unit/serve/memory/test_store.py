"""The memory, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from smallhours.domain.errors import MissingError, RefusedError, StoreError
from smallhours.domain.memory import Reply
from smallhours.domain.risk import Finding, RiskCategory, RiskLevel
from smallhours.serve.memory.sealing import new_key
from smallhours.serve.memory.store import MOST_FACTS
from tests.unit.serve.memory.conftest import Place, sqlite_place

pytestmark = pytest.mark.anyio

WORDS = "the cellar smells of rain and grandfather's pipe"
FOUND = Finding(detector="crisis", rule="plan", category=RiskCategory.SUICIDE, level=RiskLevel.HIGH)


def reply(text: str = "That sounds heavy.") -> Reply:
    return Reply(content=text, about={"level": "none"}, created=datetime.now(UTC).replace(microsecond=0))


async def test_what_was_said_and_answered_is_there_for_another_process(at: Place) -> None:
    begun = await at.memory.begin("de-DE")
    heard = await at.memory.hear(begun.id, WORDS, [])
    said = reply()
    assert await at.memory.answer(begun.id, heard.number, said) == said

    elsewhere = at.again()
    found = await elsewhere.memory.read(begun.id, begun.token)
    assert found is not None and found.locale == "de-DE"
    assert [(e.content, e.reply) for e in found.exchanges] == [(WORDS, said)]
    await elsewhere.memory.close()


async def test_looking_at_a_database_makes_nothing(at: Place) -> None:
    try:
        assert not await at.database.look()
    except StoreError:
        assert at.url.startswith("sqlite") and not (at.folder / "memory.db").exists()
    await at.memory.begin("en")
    assert await at.database.look()


@pytest.mark.parametrize("text", ["", "🌧 نص", "half a pair \ud83d", "a\x00b", "x" * 60_000])
async def test_any_text_comes_back_as_it_was(at: Place, text: str) -> None:
    begun = await at.memory.begin("en")
    await at.memory.hear(begun.id, text, [])
    found = await at.memory.read(begun.id, begun.token)
    assert found and found.exchanges[0].content == text


async def test_nobody_reads_with_another_token_or_a_name_that_never_was(at: Place) -> None:
    one, two = await at.memory.begin("en"), await at.memory.begin("en")
    assert await at.memory.read(one.id, two.token) is None
    assert await at.memory.read("nobody", one.token) is None
    assert await at.memory.read(one.id, "") is None


async def test_a_message_sent_twice_is_stored_once_and_gets_the_first_reply(at: Place) -> None:
    begun = await at.memory.begin("en")
    first = await at.memory.hear(begun.id, WORDS, [], once="k1")
    again = await at.memory.hear(begun.id, WORDS, [], once="k1")
    assert (again.number, again.reply) == (first.number, None)
    stands = await at.memory.answer(begun.id, first.number, reply("the first"))
    assert await at.memory.answer(begun.id, first.number, reply("the second")) == stands
    assert (await at.memory.hear(begun.id, WORDS, [], once="k1")).reply == stands
    with pytest.raises(RefusedError, match="another message"):
        await at.memory.hear(begun.id, "something else", [], once="k1")


async def test_two_gateways_at_once_lose_nothing_and_number_everything(at: Place) -> None:
    begun, other = await at.memory.begin("en"), at.again()
    both = [
        memory.hear(begun.id, f"{who} {n}", [FOUND], once=f"{who}{n}")
        for n in range(6)
        for who, memory in (("a", at.memory), ("b", other.memory))
    ]
    heard = await asyncio.gather(*both)
    assert sorted(h.number for h in heard) == list(range(12))
    found = await at.memory.read(begun.id, begun.token)
    assert found and len(found.exchanges) == 12 and {f.message for f in found.risk} == set(range(12))
    await other.memory.close()


async def test_two_gateways_with_the_same_message_agree_on_one_reply(at: Place) -> None:
    begun, other = await at.memory.begin("en"), at.again()

    async def say(memory: Place, text: str) -> Reply:
        heard = await memory.memory.hear(begun.id, WORDS, [], once="same")
        return await memory.memory.answer(begun.id, heard.number, reply(text))

    one, two = await asyncio.gather(say(at, "one"), say(other, "two"))
    found = await at.memory.read(begun.id, begun.token)
    assert one == two and found and [e.reply for e in found.exchanges] == [one]
    await other.memory.close()


async def test_old_messages_go_and_what_was_found_in_them_stays(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    here = sqlite_place(tmp_path_factory.mktemp("trim"), max_exchanges=10)
    begun = await here.memory.begin("en")
    await here.memory.hear(begun.id, "the first", [FOUND])
    for n in range(15):
        await here.memory.hear(begun.id, f"later {n}", [])
    found = await here.memory.read(begun.id, begun.token)
    assert found and [e.number for e in found.exchanges] == list(range(6, 16))
    assert [(f.rule, f.level, f.message) for f in found.risk] == [("plan", RiskLevel.HIGH, 0)]
    await here.memory.close()


async def test_facts_are_kept_and_dropped_and_not_without_end(at: Place) -> None:
    begun = await at.memory.begin("en")
    fact = await at.memory.note(begun.id, "my exam is on friday")
    assert await at.memory.drop(begun.id, fact.id) and not await at.memory.drop(begun.id, fact.id)
    for n in range(MOST_FACTS):
        await at.memory.note(begun.id, f"fact {n}")
    with pytest.raises(RefusedError, match="delete one"):
        await at.memory.note(begun.id, "one more")


async def test_a_newer_summary_is_not_replaced_by_an_older_one(at: Place) -> None:
    begun = await at.memory.begin("en")
    await at.memory.summarise(begun.id, ["newer"], 8)
    await at.memory.summarise(begun.id, ["older"], 4)
    found = await at.memory.read(begun.id, begun.token)
    assert found and found.summary == ("newer",) and found.summarised == 8


async def test_forgetting_is_at_once_for_every_process(at: Place) -> None:
    begun, other = await at.memory.begin("en"), at.again()
    await other.memory.hear(begun.id, WORDS, [FOUND])
    assert await at.memory.forget(begun.id)
    assert await other.memory.read(begun.id, begun.token) is None
    with pytest.raises(MissingError):
        await other.memory.hear(begun.id, "still there?", [])
    assert not await at.memory.forget(begun.id)
    await other.memory.close()


async def test_no_word_and_no_token_is_in_any_file(on_disk: Place) -> None:
    begun = await on_disk.memory.begin("en")
    heard = await on_disk.memory.hear(begun.id, WORDS, [FOUND], once="my-idempotency-key")
    await on_disk.memory.answer(begun.id, heard.number, reply("such an answer"))
    await on_disk.memory.note(begun.id, "the cat is called Ludmila")
    await on_disk.memory.summarise(begun.id, [WORDS], 1)
    written = b"".join(path.read_bytes() for path in on_disk.folder.iterdir())
    for secret in (WORDS, begun.token, "such an answer", "Ludmila", "suicide", "my-idempotency-key"):
        assert secret.encode() not in written


async def test_a_backup_cannot_be_read_once_the_person_deleted(on_disk: Place) -> None:
    begun = await on_disk.memory.begin("en")
    await on_disk.memory.hear(begun.id, WORDS, [])
    async with on_disk.keyring.database.reading() as connection:
        wrapped = (await connection.exec_driver_sql("SELECT wrapped FROM conversation_key")).scalar_one()
    backup = {path.name: path.read_bytes() for path in on_disk.folder.glob("memory.db*")}
    await on_disk.memory.forget(begun.id)
    await on_disk.memory.close()
    # Not even its wrapped form is left in the file of keys.
    assert all(wrapped not in path.read_bytes() for path in on_disk.folder.glob("keys.db*"))

    for name, content in backup.items():
        (on_disk.folder / name).write_bytes(content)
    restored = on_disk.again()
    assert await restored.memory.read(begun.id, begun.token) is None
    with pytest.raises(MissingError):
        await restored.memory.read_as_operator(begun.id)
    await restored.memory.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE exchange SET said = (SELECT said FROM exchange e WHERE e.number = 1 AND e.conversation_id = "
        "exchange.conversation_id) WHERE number = 0",
        "UPDATE exchange SET said = reply WHERE number = 0",
        "UPDATE exchange SET said = zeroblob(40) WHERE number = 0",
        "UPDATE exchange SET number = number + 5",
    ],
)
async def test_rows_that_were_moved_or_changed_do_not_open(on_disk: Place, change: str) -> None:
    begun = await on_disk.memory.begin("en")
    for text in ("one", "two"):
        heard = await on_disk.memory.hear(begun.id, text, [])
        await on_disk.memory.answer(begun.id, heard.number, reply())
    async with on_disk.database.writing() as connection:
        await connection.exec_driver_sql(change)
    with pytest.raises(StoreError, match="cannot be opened"):
        await on_disk.memory.read(begun.id, begun.token)


async def test_one_conversations_key_does_not_open_another(on_disk: Place) -> None:
    one, two = await on_disk.memory.begin("en"), await on_disk.memory.begin("en")
    await on_disk.memory.hear(one.id, WORDS, [])
    async with on_disk.keyring.database.writing() as connection:
        other = "(SELECT wrapped FROM conversation_key WHERE conversation_id = ?)"
        swap = f"UPDATE conversation_key SET wrapped = {other}"
        await connection.exec_driver_sql(swap, (two.id,))
    with pytest.raises(StoreError):
        await on_disk.memory.read(one.id, one.token)
    assert new_key() != new_key()
