"""Two gateways, as deploy/compose starts them, behind one PostgreSQL, one Redis and one model server.

Gateways, database and Redis are real processes; the model server is an endpoint that tells what it was asked.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import yaml

from smallhours.domain.artifacts import hash_file
from smallhours.domain.settings import Settings
from smallhours.serve.memory.masters import add_master
from tests.flow.conftest import ROOT
from tests.services import Postgres, free_port, postgres, redis, wait_for
from tests.unit.fake_endpoint import FakeEndpoint, Request, endpoint, says
from tests.waiting import until

DEPLOY = ROOT / "deploy" / "compose"
SLEEP = "another long night, i keep thinking of tomorrow and cannot sleep"
CRISIS = "i am going to kill myself tonight"
LIMIT, BUDGET = 15, 300  # messages a minute and address; tokens of history
KEY = "the-model-servers-key"


@dataclass
class Model:
    """Writes another answer each time, and none while it is held."""

    free: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(2))

    def answer(self, _: Request) -> str:
        self.free.wait(60)
        return (
            "A racing mind at bedtime is tiring. Try writing the worry on paper, then leave the paper in "
            f"another room for {next(self.numbers)} nights. A doctor can look at your sleep with you."
        )


@dataclass
class Pair:
    """Both gateways, what they run on, and where their logs go."""

    one: httpx.Client
    two: httpx.Client
    processes: list[subprocess.Popen[bytes]]
    logs: list[Path]
    endpoint: FakeEndpoint
    model: Model

    def seen(self) -> list[str]:
        """What the model server was shown last, turn by turn, without the system prompt."""
        return [turn["content"] for turn in self.endpoint.requests[-1]["messages"][1:]]


def composed(given: dict[str, str]) -> dict[str, str]:
    """The environment of the compose file's gateways, with values for this machine in place of theirs."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    theirs = compose["services"]["gateway-1"]["environment"]
    assert set(given) <= set(theirs), "the compose file has lost a variable"
    found = {name: given.get(name, value) for name, value in theirs.items()}
    return {name: value for name, value in found.items() if value is not None}


async def make_databases(server: Postgres) -> None:
    """As the compose file has PostgreSQL do it."""
    connection = await asyncpg.connect(server.url("postgres"))
    await connection.execute((DEPLOY / "keys.sql").read_text())
    await connection.close()


@pytest.fixture(scope="module")
def pair(finished: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder, model = tmp_path_factory.mktemp("pair"), Model()
    model.free.set()
    add_master(folder / "master.key")
    # As deploy/README.md says that vLLM is to call it.
    name = f"smallhours-{hash_file(finished.run_folder / 'adapter' / 'adapter_model.safetensors')[:12]}"
    with ExitStack() as stack:
        database = stack.enter_context(postgres())
        asyncio.run(make_databases(database))
        counts = stack.enter_context(redis())
        upstream = stack.enter_context(endpoint(says(model.answer), models=[{"id": name}]))
        variables = composed(
            {
                "SMALLHOURS_RUNS": str(finished.runs),
                "SMALLHOURS_GATEWAY_REDIS": counts,
                "SMALLHOURS_GATEWAY_PROXIES": "127.0.0.1",  # the test is the proxy
                "SMALLHOURS_MEMORY_URL": database.url("postgres"),
                "SMALLHOURS_MEMORY_KEY_URL": database.url("smallhours_keys"),
                "SMALLHOURS_MEMORY_MASTER": f"file:{folder / 'master.key'}",
                "SMALLHOURS_UPSTREAM_URL": upstream.url,
                "VLLM_API_KEY": KEY,
            }
        ) | {
            "SMALLHOURS_GATEWAY_PER_ADDRESS_MINUTE": str(LIMIT),
            "SMALLHOURS_MEMORY_TOKEN_BUDGET": str(BUDGET),
            "SMALLHOURS_MEMORY_TIMEOUT_SECONDS": "20",
            "SMALLHOURS_GENERATION_CANDIDATES": "1",
            "SMALLHOURS_GENERATION_VETTED_FIRST": "1",
        }
        ports = [free_port(), free_port()]
        logs = [folder / f"{port}.log" for port in ports]
        processes = []
        for port, log in zip(ports, logs, strict=True):
            command = [sys.executable, "-m", "smallhours", "serve", finished.name, "--port", str(port)]
            out = stack.enter_context(log.open("wb"))
            processes.append(
                subprocess.Popen(command, env={**os.environ, **variables}, stdout=out, stderr=out)
            )
            stack.callback(processes[-1].wait)
            stack.callback(processes[-1].kill)
        clients = []
        for port, process in zip(ports, processes, strict=True):
            wait_for(port, process, 120)
            clients.append(
                stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120))
            )
        yield Pair(clients[0], clients[1], processes, logs, upstream, model)


class Person:
    """Somebody at an address of their own who agreed to be remembered."""

    addresses = itertools.count(1)

    def __init__(self, gateway: httpx.Client) -> None:
        self.headers = {"x-forwarded-for": f"192.0.2.{next(self.addresses)}"}
        begun = gateway.post("/v1/conversations", json={"consent": True}, headers=self.headers)
        assert begun.status_code == 201, begun.text
        self.path = f"/v1/conversations/{begun.json()['id']}"
        self.headers["smallhours-token"] = begun.json()["token"]

    def say(self, gateway: httpx.Client, content: str, once: str = "") -> dict[str, Any]:
        headers = self.headers | ({"idempotency-key": once} if once else {})
        got = gateway.post(f"{self.path}/messages", json={"content": content}, headers=headers)
        assert got.status_code == 200, got.text
        found: dict[str, Any] = got.json()
        # A crisis reply does not wait until it is kept.
        kept = found["smallhours"]["memory"] == {"stored": True}
        assert kept or found["smallhours"]["source"] == "crisis"
        return found

    def sees(self, gateway: httpx.Client) -> list[str]:
        return [m["content"] for m in gateway.get(self.path, headers=self.headers).json()["messages"]]


def text(answer: dict[str, Any]) -> str:
    return str(answer["choices"][0]["message"]["content"])


def test_one_conversation_goes_on_alternately(pair: Pair) -> None:
    person, exam = Person(pair.one), "it is the exam that keeps me awake at night"
    first = person.say(pair.one, SLEEP)
    assert first["smallhours"]["source"] == "generated"
    second = person.say(pair.two, exam)
    assert pair.seen() == [SLEEP, text(first), exam]
    fact = pair.two.post(f"{person.path}/facts", json={"text": "i work nights"}, headers=person.headers)
    assert fact.status_code == 201
    third = person.say(pair.one, "and again i lie awake and cannot sleep")
    note, *turns = pair.seen()
    assert "i work nights" in note and turns[:4] == [SLEEP, text(first), exam, text(second)]
    assert len({text(answer) for answer in (first, second, third)}) == 3
    assert person.sees(pair.one) == person.sees(pair.two) == [*turns, text(third)]
    assert {asked["Authorization"] for asked in pair.endpoint.headers} == {f"Bearer {KEY}"}


def test_a_crisis_at_one_is_known_to_the_other_when_its_words_no_longer_fit(pair: Pair) -> None:
    person = Person(pair.one)
    assert person.say(pair.one, CRISIS)["smallhours"]["source"] == "crisis"
    until(lambda: len(person.sees(pair.two)) == 2)
    # Longer than the budget: nothing but what was found in the first message reaches the second gateway.
    longer = "i cannot sleep " + "at all " * BUDGET
    assert person.say(pair.two, longer)["smallhours"]["level"] == "elevated"


def test_both_count_against_one_limit_and_a_crisis_has_none(pair: Pair) -> None:
    stranger = {"x-forwarded-for": "198.51.100.7"}
    taken = 0
    for gateway in itertools.cycle((pair.one, pair.two)):
        got = gateway.post("/v1/conversations", json={"consent": False}, headers=stranger)
        if got.status_code == 429:
            break
        taken += 1
    # Each for itself would let in twice as many; a few are paid back while they are counted.
    assert LIMIT <= taken < 1.7 * LIMIT and int(got.headers["retry-after"]) >= 1
    for gateway in (pair.one, pair.two):
        asked = {"messages": [{"role": "user", "content": CRISIS}]}
        urgent = gateway.post("/v1/chat/completions", json=asked, headers=stranger)
        assert urgent.status_code == 200 and urgent.json()["smallhours"]["source"] == "crisis"
    assert Person(pair.two)  # somebody else's limit is their own


def test_one_message_sent_to_both_at_once_is_kept_once_and_gets_one_reply(pair: Pair) -> None:
    person = Person(pair.one)
    with ThreadPoolExecutor(2) as both:
        said = list(both.map(lambda gateway: person.say(gateway, SLEEP, "same"), (pair.one, pair.two)))
    assert text(said[0]) == text(said[1])
    assert person.sees(pair.one) == [SLEEP, text(said[0])]
    again = person.say(pair.two, SLEEP, "same")
    assert text(again) == text(said[0])


def test_what_is_deleted_at_one_is_gone_at_the_other(pair: Pair) -> None:
    person, other = Person(pair.one), Person(pair.two)
    person.say(pair.one, SLEEP)
    person.say(pair.two, "it is the exam that keeps me awake at night")
    other.say(pair.one, SLEEP)
    assert pair.two.delete(person.path, headers=person.headers).status_code == 204
    for gateway in (pair.one, pair.two):
        assert gateway.get(person.path, headers=person.headers).status_code == 404
        said = gateway.post(f"{person.path}/messages", json={"content": "hello"}, headers=person.headers)
        assert said.status_code == 404
        assert len(other.sees(gateway)) == 2


def test_one_is_killed_with_a_reply_on_its_way_and_the_other_goes_on(pair: Pair) -> None:
    person = Person(pair.one)
    first = person.say(pair.one, SLEEP)
    asked = len(pair.endpoint.requests)
    pair.model.free.clear()
    with ThreadPoolExecutor(1) as beside:
        lost = beside.submit(person.say, pair.one, "i cannot sleep before the exam", "second")
        until(lambda: len(pair.endpoint.requests) > asked)
        pair.processes[0].kill()
        pair.model.free.set()
        assert isinstance(lost.exception(60), httpx.HTTPError)
    assert person.sees(pair.two) == [SLEEP, text(first), "i cannot sleep before the exam"]
    second = person.say(pair.two, "i cannot sleep before the exam", "second")
    assert pair.seen() == [SLEEP, text(first), "i cannot sleep before the exam"]
    kept = [SLEEP, text(first), "i cannot sleep before the exam", text(second)]
    assert person.sees(pair.two) == kept


def test_their_logs_tell_of_requests_and_hold_no_words(pair: Pair) -> None:
    for log in pair.logs:
        written = log.read_text()
        assert '"route"' in written
        for words in ("sleep", "exam", "kill", "racing mind", KEY, "i work nights"):
            assert words not in written
