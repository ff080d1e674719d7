"""Who may come in, how much at a time, and that a crisis never meets a closed door."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from smallhours.cli.main import run
from smallhours.domain.errors import InputError, MissingError
from smallhours.domain.messages import Conversation
from smallhours.domain.settings import GatewaySettings, ServeSettings
from smallhours.llm.engines.scripted import ScriptedEngine
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.api_keys import ApiKeys
from smallhours.serve.gateway.app import Parts, create_app
from smallhours.serve.gateway.limits import Limit, LocalLimiter, RedisLimiter
from smallhours.serve.gateway.once import Once
from smallhours.serve.gateway.refusals import RefusalError
from tests.services import free_port, redis
from tests.unit.serve.conftest import GOOD, Build

ASK = {"messages": [{"role": "user", "content": "another long night, i cannot sleep before the exam"}]}
CRISIS = {"messages": [{"role": "user", "content": "i am going to kill myself tonight"}]}


def client(
    assistant: Assistant, keys: ApiKeys | None = None, parallel: int = 4, **gateway: object
) -> TestClient:
    parts = Parts(
        gateway=GatewaySettings.model_validate(gateway), keys=keys or ApiKeys(Path("/nonexistent/keys.json"))
    )
    app = create_app(assistant, ServeSettings(parallel=parallel), "smallhours-test", parts)
    return TestClient(app, raise_server_exceptions=False)


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture
def keys(tmp_path: Path) -> ApiKeys:
    return ApiKeys(tmp_path / "keys.json")


# Keys


def test_with_anonymous_access_off_only_a_key_opens_and_a_crisis_needs_none(
    build: Build, keys: ApiKeys
) -> None:
    good, _ = keys.add("app", ("chat",), None)
    here = client(build(), keys, anonymous=False)
    assert here.post("/v1/chat/completions", json=ASK, headers=bearer(good)).status_code == 200
    forged = good[:-1] + ("A" if good[-1] != "A" else "B")
    for headers in (
        {},
        bearer("sk-anything"),
        bearer(forged),
        bearer("sh_"),
        bearer("sh_x_y"),
        {"authorization": "Basic eA=="},
    ):
        refused = here.post("/v1/chat/completions", json=ASK, headers=headers)
        assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
        urgent = here.post("/v1/chat/completions", json=CRISIS, headers=headers)
        assert urgent.status_code == 200 and urgent.json()["smallhours"]["source"] == "crisis"
    assert here.get("/metrics", headers=bearer(good)).status_code == 403
    assert here.get("/livez").status_code == here.get("/").status_code == 200


def test_a_stolen_key_is_refused_as_soon_as_it_is_revoked(
    build: Build, keys: ApiKeys, tmp_path: Path
) -> None:
    stolen, known = keys.add("app", ("chat",), None)
    here = client(build(), keys)
    assert here.post("/v1/chat/completions", json=ASK, headers=bearer(stolen)).status_code == 200
    ApiKeys(tmp_path / "keys.json").revoke(known.id)  # another process
    assert here.post("/v1/chat/completions", json=ASK, headers=bearer(stolen)).status_code == 401
    assert here.post("/v1/chat/completions", json=CRISIS, headers=bearer(stolen)).status_code == 200


def test_a_key_ends_on_its_day(tmp_path: Path) -> None:
    now = [datetime(2026, 11, 24, tzinfo=UTC)]
    keys = ApiKeys(tmp_path / "keys.json", lambda: now[0])
    key, _ = keys.add("app", ("chat",), days=30)
    now[0] += timedelta(days=29, hours=23)
    assert keys.find(key)
    now[0] += timedelta(hours=1)
    assert keys.find(key) is None


def test_no_key_is_in_the_file_and_only_its_owner_reads_it(keys: ApiKeys, tmp_path: Path) -> None:
    key, _ = keys.add("app", ("chat",), None)
    file = tmp_path / "keys.json"
    assert key.rpartition("_")[2] not in file.read_text() and file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_lets_the_known_in_and_nobody_new(keys: ApiKeys, tmp_path: Path) -> None:
    key, _ = keys.add("app", ("chat",), None)
    (tmp_path / "keys.json").write_text("{")
    assert keys.find(key) and keys.find("sh_x_y") is None
    with pytest.raises(InputError, match=r"keys\.json"):
        ApiKeys(tmp_path / "keys.json").find(key)


def test_the_commands_make_show_and_revoke_a_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = ["--set", f"runs={tmp_path}"]
    assert run(["keys", "add", "app", "--scopes", "chat", "--days", "30", *there]) == 0
    key = capsys.readouterr().out.strip()
    found = ApiKeys(tmp_path / "keys.json").find(key)
    assert found and found.name == "app" and found.scopes == ("chat",)
    assert run(["keys", "list", "--json", *there]) == 0
    assert [k["id"] for k in json.loads(capsys.readouterr().out)] == [found.id]
    assert run(["keys", "revoke", found.id, *there]) == 0
    assert ApiKeys(tmp_path / "keys.json").find(key) is None
    assert run(["keys", "revoke", "nobody", *there]) == 1
    assert run(["keys", "add", "app", "--scopes", "all", *there]) == 2


# Limits


@given(st.lists(st.floats(0, 40), min_size=1, max_size=60))
def test_never_more_than_twice_the_limit_in_any_period(pauses: list[float]) -> None:
    now, taken = 0.0, []
    limiter = LocalLimiter(lambda: now)
    for pause in pauses:
        now += pause
        if asyncio.run(limiter.take("x", Limit(5, 60))) == 0:
            taken.append(now)
    assert all(sum(1 for t in taken if start <= t < start + 60) <= 10 for start in taken)


def test_a_wait_that_is_told_is_long_enough() -> None:
    now = [0.0]
    limiter = LocalLimiter(lambda: now[0])
    limit = Limit(3, 60)
    assert [asyncio.run(limiter.take("x", limit)) for _ in range(3)] == [0, 0, 0]
    wait = asyncio.run(limiter.take("x", limit))
    assert wait == pytest.approx(20)
    now[0] += wait
    assert asyncio.run(limiter.take("x", limit)) == 0
    assert asyncio.run(limiter.take("x", limit, force=True)) == 0
    assert asyncio.run(limiter.take("x", limit)) > 20


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis() as url:
        yield url


def test_two_gateways_share_one_limit_through_redis(redis_url: str) -> None:
    async def both() -> list[bool]:
        one, two = RedisLimiter(redis_url), RedisLimiter(redis_url)
        return [await limiter.take("shared", Limit(3, 60)) == 0 for limiter in (one, two, one, two, one)]

    assert asyncio.run(both()) == [True, True, True, False, False]


def test_without_redis_each_gateway_counts_for_itself_and_quickly() -> None:
    failures: list[int] = []

    async def alone() -> list[bool]:
        limiter = RedisLimiter(f"redis://127.0.0.1:{free_port()}/0", lambda: failures.append(1))
        return [await limiter.take("x", Limit(2, 60)) == 0 for _ in range(3)]

    began = time.monotonic()
    assert asyncio.run(alone()) == [True, True, False]
    assert len(failures) == 1 and time.monotonic() - began < 20


def test_too_many_messages_get_a_429_that_says_when_and_a_crisis_gets_none(build: Build) -> None:
    here = client(build(), per_address_minute=2)
    codes = [here.post("/v1/chat/completions", json=ASK).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    refused = here.post("/v1/chat/completions", json=ASK | {"stream": True})
    assert refused.status_code == 429 and 1 <= int(refused.headers["retry-after"]) <= 60
    for stream in (False, True):
        assert here.post("/v1/chat/completions", json=CRISIS | {"stream": stream}).status_code == 200


def test_a_crisis_at_the_end_of_a_long_message_is_noticed_over_the_limit_too(build: Build) -> None:
    here = client(build(), per_address_minute=1)
    here.post("/v1/chat/completions", json=ASK)
    long = {"messages": [{"role": "user", "content": "so much to do. " * 2000 + "i want to kill myself"}]}
    assert here.post("/v1/chat/completions", json=long).json()["smallhours"]["source"] == "crisis"


def test_a_key_has_its_own_limit_and_its_tokens_for_the_day(build: Build, keys: ApiKeys) -> None:
    one, _ = keys.add("one", ("chat",), None)
    two, _ = keys.add("two", ("chat",), None)
    here = client(build(), keys, per_address_minute=1, per_key_minute=0, tokens_day=60)
    assert here.post("/v1/chat/completions", json=ASK, headers=bearer(one)).status_code == 200
    refused = here.post("/v1/chat/completions", json=ASK, headers=bearer(one))
    assert refused.status_code == 429 and refused.json()["error"]["type"] == "quota_exceeded"
    assert here.post("/v1/chat/completions", json=ASK, headers=bearer(two)).status_code == 200
    assert here.post("/v1/chat/completions", json=CRISIS, headers=bearer(one)).status_code == 200


# The queue


class Gate:
    """A model that answers when it is told to."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)

    def __call__(self, _: Conversation, __: int) -> str:
        self.entered.release()
        self.open.wait(120)
        return GOOD


def test_a_full_queue_says_so_at_once_and_lets_every_crisis_by(build: Build) -> None:
    gate, assistant = Gate(), build(candidates=1)
    assistant.reply(Conversation.of("hello"))  # warm, so that what is measured is the queue
    assistant._engine = ScriptedEngine(gate)
    with client(assistant, parallel=1, queue=1) as here, ThreadPoolExecutor(2) as others:
        waiting = [others.submit(here.post, "/v1/chat/completions", json=ASK) for _ in range(2)]
        assert gate.entered.acquire(timeout=120)
        while "smallhours_inside 2.0" not in here.get("/metrics").text:
            time.sleep(0.02)
        began = time.perf_counter()
        refused = here.post("/v1/chat/completions", json=ASK)
        spent = time.perf_counter() - began
        assert refused.status_code == 429 and refused.json()["error"]["type"] == "overloaded"
        assert int(refused.headers["retry-after"]) >= 1 and spent < 1  # milliseconds on a quiet machine
        assert here.post("/v1/chat/completions", json=CRISIS).json()["smallhours"]["source"] == "crisis"
        gate.open.set()
        assert [w.result().status_code for w in waiting] == [200, 200]


def test_nobody_waits_longer_than_the_queue_allows(build: Build) -> None:
    gate, assistant = Gate(), build(candidates=1)
    assistant.reply(Conversation.of("hello"))  # warm, so that what is measured is the queue
    assistant._engine = ScriptedEngine(gate)
    with client(assistant, parallel=1, queue=1, queue_seconds=0.1) as here, ThreadPoolExecutor(1) as others:
        first = others.submit(here.post, "/v1/chat/completions", json=ASK)
        assert gate.entered.acquire(timeout=120)
        assert here.post("/v1/chat/completions", json=ASK | {"stream": True}).status_code == 429
        gate.open.set()
        assert first.result().status_code == 200


# Once


def test_two_clients_with_one_idempotency_key_get_one_answer(build: Build) -> None:
    assistant = build(["A first answer that is long enough to be sent to whoever asks.", GOOD], candidates=1)
    with client(assistant) as here:
        headers = {"idempotency-key": "same"}
        answers = [here.post("/v1/chat/completions", json=ASK, headers=headers).json() for _ in range(2)]
        assert len({a["choices"][0]["message"]["content"] for a in answers}) == 1
        other = here.post("/v1/chat/completions", json=ASK | {"locale": "de"}, headers=headers)
        assert other.status_code == 422


def test_work_is_shared_while_it_is_done_and_tried_again_when_it_failed() -> None:
    begun: list[int] = []

    async def work() -> int:
        begun.append(1)
        await asyncio.sleep(0.05)
        if len(begun) == 1:
            raise RefusalError(429, "overloaded", "not now")
        return len(begun)

    async def story() -> None:
        once: Once[int] = Once()
        failed = await asyncio.gather(
            *(once.do("me", "k", b"x", work) for _ in range(3)), return_exceptions=True
        )
        assert all(isinstance(f, RefusalError) for f in failed) and len(begun) == 1
        assert await asyncio.gather(*(once.do("me", "k", b"x", work) for _ in range(3))) == [2, 2, 2]
        assert await once.do("you", "k", b"x", work) == 3

    asyncio.run(story())


def test_revoking_an_unknown_key_says_how_to_see_them(keys: ApiKeys) -> None:
    with pytest.raises(MissingError, match="keys list"):
        keys.revoke("nobody")
