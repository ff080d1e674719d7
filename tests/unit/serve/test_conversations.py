"""Remembered conversations over HTTP, over a real database."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from smallhours.bootstrap import remembering
from smallhours.domain.settings import ServeSettings, load_settings
from smallhours.llm.engines.scripted import ScriptedEngine
from smallhours.semantics.vectors import shared_vectors
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.app import Parts, create_app
from tests.unit.serve.conftest import GOOD, Build

SLEEP = "another long night, i keep thinking of tomorrow and cannot sleep"
CRISIS = "i am going to kill myself tonight"

Open = Callable[..., TestClient]


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"runs": str(tmp_path)}


@pytest.fixture
def gateway(build: Build, settings: dict[str, object]) -> Iterator[Open]:
    """Opens the gateway; once more is another process on the same database."""
    opened: list[TestClient] = []

    def make(script: list[str] | None = None, assistant: Assistant | None = None) -> TestClient:
        ours = load_settings(None, {}, settings)
        parts = Parts(
            gateway=ours.gateway,
            memory=ours.memory,
            open_memory=lambda: remembering.open_room(ours).memory,
            encoder=shared_vectors,
        )
        app = create_app(assistant or build(script or [GOOD]), ServeSettings(), "smallhours-test", parts)
        client = TestClient(app, raise_server_exceptions=False)
        client.__enter__()
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


class Person:
    """Somebody who agreed to be remembered."""

    def __init__(self, client: TestClient) -> None:
        begun = client.post("/v1/conversations", json={"consent": True, "locale": "en-GB"})
        assert begun.status_code == 201
        self.id, self.token = begun.json()["id"], begun.json()["token"]
        self.path = f"/v1/conversations/{self.id}"
        self.headers = {"smallhours-token": self.token}

    def say(self, client: TestClient, content: str, once: str = "", **more: object) -> dict:
        headers = self.headers | ({"idempotency-key": once} if once else {})
        body = {"content": content, **more}
        response = client.post(f"{self.path}/messages", json=body, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    def sees(self, client: TestClient) -> list[str]:
        got = client.get(self.path, headers=self.headers)
        return [m["content"] for m in got.json()["messages"]]


def test_nothing_is_kept_without_consent(gateway: Open, tmp_path: Path) -> None:
    client = gateway()
    assert client.get("/v1/memory").json()["available"] is True
    for body in ({}, {"consent": False}):
        refused = client.post("/v1/conversations", json=body)
        assert refused.status_code == 422 and refused.json()["error"]["type"] == "consent_required"
    client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": SLEEP}]})
    assert not list(tmp_path.iterdir())


def test_a_conversation_goes_on_in_another_process(gateway: Open) -> None:
    first, second = gateway(), gateway()
    person = Person(first)
    said = person.say(first, SLEEP)
    assert said["choices"][0]["message"]["content"] == GOOD
    assert said["smallhours"]["memory"] == {"stored": True} and said["smallhours"]["source"] == "generated"
    person.say(second, "it is the exam")
    assert person.sees(first) == person.sees(second) == [SLEEP, GOOD, "it is the exam", GOOD]


def test_the_model_sees_what_was_said_before(gateway: Open, build: Build) -> None:
    assistant = build([GOOD])
    engine = assistant._engine
    assert isinstance(engine, ScriptedEngine)
    client = gateway(assistant=assistant)
    person = Person(client)
    client.post(f"{person.path}/facts", json={"text": "my exam is on friday"}, headers=person.headers)
    person.say(client, SLEEP)
    noted = person.say(client, "please remember that I work nights")
    assert "noted" in noted["choices"][0]["message"]["content"]
    person.say(client, "and again i lie awake, thinking of it all")
    assert len(client.get(person.path, headers=person.headers).json()["facts"]) == 2
    seen = [m.content for m in engine.conversations[-1].messages]
    assert SLEEP in seen and "my exam is on friday" in seen[0]


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_stream_is_that_of_a_completion_and_is_stored_before_it(gateway: Open) -> None:
    client = gateway()
    person = Person(client)
    body = {"content": SLEEP, "stream": True}
    with client.stream("POST", f"{person.path}/messages", json=body, headers=person.headers) as response:
        lines = [line.removeprefix("data: ") for line in response.iter_lines() if line.startswith("data: ")]
    events = [json.loads(line) for line in lines[:-1]]
    assert lines[-1] == "[DONE]" and events[0]["smallhours"]["memory"] == {"stored": True}
    assert "".join(e["choices"][0]["delta"].get("content", "") for e in events) == GOOD


def test_the_same_message_again_gets_the_same_reply_and_is_kept_once(gateway: Open) -> None:
    client = gateway([GOOD, "Another answer, which nobody should ever see because the first one stands."])
    person = Person(client)
    replies = {person.say(client, SLEEP, once="k")["choices"][0]["message"]["content"] for _ in range(3)}
    assert replies == {GOOD} and person.sees(client) == [SLEEP, GOOD]
    other = client.post(
        f"{person.path}/messages",
        json={"content": "different words"},
        headers=person.headers | {"idempotency-key": "k"},
    )
    assert other.status_code == 422


def test_only_the_token_opens_it(gateway: Open) -> None:
    client = gateway()
    one, two = Person(client), Person(client)
    one.say(client, SLEEP)
    for headers in ({}, two.headers, {"smallhours-token": "x"}):
        for method, path in (("GET", ""), ("GET", "/export"), ("DELETE", ""), ("DELETE", "/facts/1")):
            assert client.request(method, one.path + path, headers=headers).status_code == 404
        said = client.post(f"{one.path}/messages", json={"content": "hello there"}, headers=headers)
        assert said.status_code == 404
    assert one.sees(client) == [SLEEP, GOOD]


def test_export_then_delete(gateway: Open) -> None:
    client = gateway()
    person = Person(client)
    person.say(client, SLEEP)
    person.say(client, CRISIS)
    wait_until(lambda: len(person.sees(client)) == 4)
    export = client.get(f"{person.path}/export", headers=person.headers)
    assert "attachment" in export.headers["content-disposition"]
    assert [m["role"] for m in export.json()["messages"]] == ["user", "assistant"] * 2
    assert {found["category"] for found in export.json()["risk"]} >= {"suicide"}
    assert client.delete(person.path, headers=person.headers).status_code == 204
    assert client.get(person.path, headers=person.headers).status_code == 404
    assert client.delete(person.path, headers=person.headers).status_code == 404


def test_a_crisis_is_remembered_when_its_words_are_no_longer_sent(
    gateway: Open, settings: dict[str, object]
) -> None:
    settings["memory.token_budget"] = 100
    client = gateway()
    person = Person(client)
    assert person.say(client, CRISIS)["smallhours"]["source"] == "crisis"
    wait_until(lambda: len(person.sees(client)) == 2)
    # The crisis reply alone is longer than the budget: the words are cut, what was found in them is not.
    assert person.say(client, "i cannot sleep " + "at all " * 40)["smallhours"]["level"] == "elevated"


def test_a_crisis_needs_no_token_no_conversation_and_no_memory(gateway: Open) -> None:
    client = gateway()
    body = {"content": CRISIS, "locale": "en-US"}
    got = client.post("/v1/conversations/nobody/messages", json=body)
    assert got.status_code == 200 and got.json()["smallhours"]["source"] == "crisis"
    assert got.json()["smallhours"]["memory"] == {"stored": False}


def test_words_of_danger_are_no_fact(gateway: Open) -> None:
    client = gateway()
    person = Person(client)
    got = client.post(f"{person.path}/facts", json={"text": CRISIS}, headers=person.headers)
    assert got.status_code == 422 and got.json()["smallhours"]["resources"]


def test_with_the_database_locked_everybody_gets_a_reply_and_the_truth(
    gateway: Open, settings: dict[str, object], tmp_path: Path
) -> None:
    settings["memory.timeout_seconds"] = 3.0
    client = gateway()
    person = Person(client)
    person.say(client, SLEEP)
    locker = sqlite3.connect(tmp_path / "memory" / "memory.db", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    said = person.say(client, "it is the exam that i think of all night")
    assert (
        said["smallhours"]["memory"] == {"stored": False} and said["choices"][0]["message"]["content"] == GOOD
    )
    urgent = person.say(client, CRISIS)["smallhours"]
    assert urgent["source"] == "crisis" and urgent["memory"] == {"stored": False}
    answer = [{"role": "user", "content": CRISIS}, {"role": "assistant", "content": "I am here."}]
    assert person.say(client, "yes i am at home", recent=answer)["smallhours"]["source"] == "crisis"
    refused = client.get(person.path, headers=person.headers)
    assert refused.status_code == 503 and refused.headers["retry-after"]
    assert client.get("/readyz").json() == {"status": "ok", "crisis_path": "ok", "memory": "unavailable"}
    locker.execute("ROLLBACK")
    locker.close()
    wait_until(lambda: client.get(person.path, headers=person.headers).status_code == 200, 20)
    assert person.sees(client) == [SLEEP, GOOD]


@pytest.mark.parametrize("setting", ["memory.master", "memory.url"])
def test_a_memory_that_cannot_be_opened_costs_nobody_a_crisis_reply(
    gateway: Open, settings: dict[str, object], setting: str
) -> None:
    settings[setting] = {"memory.master": "env:NOT_SET", "memory.url": "sqlite:////proc/nowhere/m.db"}[
        setting
    ]
    client = gateway()
    refused = client.post("/v1/conversations", json={"consent": True})
    assert refused.status_code == 503 and refused.json()["error"]["type"] == "memory_unavailable"
    got = client.post("/v1/conversations/x/messages", json={"content": CRISIS})
    assert got.json()["smallhours"]["source"] == "crisis"


def test_where_memory_is_off_every_call_says_so(build: Build) -> None:
    with TestClient(create_app(build(), ServeSettings(), "smallhours-test")) as client:
        for method, path in (("GET", "memory"), ("POST", "conversations"), ("DELETE", "conversations/x")):
            got = client.request(method, f"/v1/{path}")
            assert got.status_code == 404 and got.json()["error"]["type"] == "memory_off"
