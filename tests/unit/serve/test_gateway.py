"""The HTTP edge, as clients see it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from smallhours.domain.settings import ServeSettings
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.app import create_app
from tests.unit.serve.conftest import GOOD, Build

SLEEP = [{"role": "user", "content": "another long night, i keep thinking of tomorrow and cannot sleep"}]
CRISIS = [{"role": "user", "content": "i am going to kill myself tonight"}]


def client(assistant: Assistant, **settings: int) -> TestClient:
    return TestClient(
        create_app(assistant, ServeSettings(**settings), "smallhours-test"), raise_server_exceptions=False
    )


def events(text: str) -> list[dict]:
    lines = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_a_completion_has_openais_shape_and_ours_beside_it(build: Build) -> None:
    got = client(build()).post("/v1/chat/completions", json={"messages": SLEEP}).json()
    assert got["object"] == "chat.completion"
    assert got["choices"][0]["message"] == {"role": "assistant", "content": GOOD}
    assert set(got["smallhours"]) == {"level", "action", "resources", "disclaimer", "source", "model"}


def test_a_stream_tells_the_risk_first_and_then_whole_sentences(build: Build) -> None:
    response = client(build()).post("/v1/chat/completions", json={"messages": SLEEP, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    first, *rest = events(response.text)
    assert first["smallhours"]["level"] in ("none", "low")
    parts = [e["choices"][0]["delta"].get("content", "") for e in rest]
    assert "".join(parts) == GOOD and all(p.strip()[-1] in ".?!" for p in parts if p)
    assert rest[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_a_crisis_without_any_model_is_an_ordinary_200_with_people_to_call(
    build: Build, stream: bool
) -> None:
    body = {"messages": CRISIS, "locale": "en-US", "stream": stream}
    response = client(build(None)).post("/v1/chat/completions", json=body)
    assert response.status_code == 200
    ours = (events(response.text)[0] if stream else response.json())["smallhours"]
    assert ours["source"] == "crisis" and "988" in {r["tel"] for r in ours["resources"]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": "assistant", "content": "nobody asked"}]},
        {"messages": SLEEP, "locale": "../../etc"},
        {"messages": [{"role": "user"}]},
        {"messages": SLEEP * 300},
    ],
)
def test_a_bad_request_is_explained_in_openais_shape(build: Build, body: dict) -> None:
    response = client(build()).post("/v1/chat/completions", json=body)
    assert response.status_code == 422 and response.json()["error"]["message"]


@pytest.mark.parametrize("half", ["\\ud83d", "\\udc00"])
def test_an_emoji_cut_in_two_is_answered_like_any_text(build: Build, half: str) -> None:
    body = f'{{"messages": [{{"role": "user", "content": "i cannot sleep {half}"}}], "model": "{half}"}}'
    headers = {"content-type": "application/json"}
    response = client(build()).post("/v1/chat/completions", content=body, headers=headers)
    assert response.status_code == 200 and response.json()["model"] == "\ufffd"


def test_a_body_too_large_is_refused_unread(build: Build) -> None:
    long = [{"role": "user", "content": "x" * 5000}]
    response = client(build(), max_body_bytes=2048).post("/v1/chat/completions", json={"messages": long})
    assert response.status_code == 413 and "2048" in response.json()["error"]["message"]


def test_openais_own_parameters_are_accepted(build: Build) -> None:
    body = {"model": "anything", "messages": SLEEP, "temperature": 2, "max_tokens": 5, "user": "u", "n": 1}
    assert client(build()).post("/v1/chat/completions", json=body).json()["model"] == "anything"


def test_health_tells_life_from_readiness(build: Build) -> None:
    assert client(build(None)).get("/livez").status_code == 200
    assert client(build(None)).get("/readyz").status_code == 503
    assert client(build()).get("/readyz").status_code == 200
    assert client(build()).get("/v1/models").json()["data"][0]["id"] == "smallhours-test"


def test_metrics_count_replies_and_never_hold_text(build: Build) -> None:
    page = client(build())
    page.post("/v1/chat/completions", json={"messages": SLEEP})
    text = page.get("/metrics").text
    assert 'smallhours_replies_total{level="' in text and "tomorrow" not in text


def test_the_page_keeps_to_itself(build: Build) -> None:
    response = client(build()).get("/", headers={"accept-language": "en-GB,en;q=0.8"})
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy
    assert response.headers["cache-control"] == "no-store"
    assert "116 123" in response.text and "<style" not in response.text


def test_a_bug_of_ours_is_a_500_without_details(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    assistant = build()
    boom: Callable[..., None] = lambda *_: 1 / 0  # noqa: E731
    monkeypatch.setattr(assistant, "reply", boom)
    response = client(assistant).post("/v1/chat/completions", json={"messages": SLEEP})
    assert response.status_code == 500 and "division" not in response.text


def test_weights_that_were_let_past_the_gate_are_announced_on_the_page(build: Build) -> None:
    notice = "Research only: this model did not pass."
    warned = TestClient(create_app(build(), ServeSettings(), "smallhours-test", notice=notice)).get("/").text
    assert warned.index(notice) < warned.index("<main")
    assert "research-notice" not in client(build()).get("/").text
