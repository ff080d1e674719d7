"""What strangers do to sockets, done to a real server; a crisis is answered through all of it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest
import uvicorn

from smallhours.domain.messages import Conversation
from smallhours.domain.settings import GatewaySettings, ServeSettings
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.app import Parts, create_app
from smallhours.serve.gateway.connections import protocol

CRISIS = {"messages": [{"role": "user", "content": "i am going to kill myself tonight"}]}
HEAD_SECONDS, BODY_SECONDS, MOST_WAITING = 1.0, 1.0, 50


@contextmanager
def running(assistant: Assistant) -> Iterator[int]:
    """The gateway on a real port, with little patience."""
    settings = GatewaySettings(body_seconds=BODY_SECONDS)
    app = create_app(assistant, ServeSettings(), "smallhours-test", Parts(gateway=settings))
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    http = protocol(HEAD_SECONDS, MOST_WAITING)
    config = uvicorn.Config(
        app, log_level="critical", http=http, ws="none", h11_max_incomplete_event_size=16384
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture(scope="module")
def port(recall: object) -> Iterator[int]:
    from smallhours.domain.settings import GenerationSettings
    from smallhours.llm.engines.scripted import ScriptedEngine
    from smallhours.safety.pipeline import SafetyPipeline
    from tests.unit.serve.conftest import GOOD

    assistant = Assistant(SafetyPipeline(), ScriptedEngine([GOOD]), recall, GenerationSettings())  # type: ignore[arg-type]
    assistant.reply(Conversation.of("hello"))  # as the real server does, so that nobody waits for it
    with running(assistant) as number:
        yield number


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def answered(port: int) -> bool:
    got = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=CRISIS, timeout=30)
    return got.status_code == 200 and got.json()["smallhours"]["source"] == "crisis"


def closed_within(connection: socket.socket, seconds: float) -> bool:
    """Whether the server hangs up in time, and no earlier than it has to."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_connections_that_ask_nothing_make_room_for_those_that_do(port: int) -> None:
    silent = [connect(port) for _ in range(4 * MOST_WAITING)]
    assert answered(port)
    assert closed_within(silent[0], 20) and closed_within(silent[-1], 20)
    for one in silent:
        one.close()
    assert answered(port)


def test_a_head_that_drips_in_is_not_waited_for(port: int) -> None:
    with closing(connect(port)) as slow:
        began = time.monotonic()
        slow.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n")
        with pytest.raises(OSError):
            while time.monotonic() - began < 20:
                slow.sendall(b"X-A: b\r\n")
                time.sleep(0.05)
        assert time.monotonic() - began > HEAD_SECONDS / 2
    assert answered(port)


def test_the_second_request_of_a_connection_may_not_drip_either(port: int) -> None:
    with closing(connect(port)) as kept:
        kept.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(4096).startswith(b"HTTP/1.1 200")
        kept.sendall(b"GET /livez HTT")
        time.sleep(0.05)
        while True:
            left = kept.recv(4096) if not closed_within(kept, 20) else b""
            if not left:
                break


def test_a_body_that_drips_in_gets_a_408(port: int) -> None:
    with closing(connect(port)) as slow:
        slow.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        assert slow.recv(4096).startswith(b"HTTP/1.1 408")


def test_a_body_of_a_hundred_megabytes_is_refused_unread(port: int) -> None:
    with closing(connect(port)) as large:
        large.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n")
        assert large.recv(4096).startswith(b"HTTP/1.1 413")
    with closing(connect(port)) as chunked:
        chunked.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        sent = 0
        try:
            for _ in range(1600):
                chunked.sendall(piece)
                sent += 1
        except OSError:
            pass
        assert sent < 1600  # it was cut off long before the end
    assert answered(port)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /livez HTTP/one\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
    ],
)
def test_a_head_that_is_no_head_is_a_400_or_the_end(port: int, head: bytes) -> None:
    with closing(connect(port)) as odd:
        odd.sendall(head)
        try:
            got = odd.recv(4096)
        except ConnectionResetError:
            got = b""
        assert got == b"" or got.split(b" ")[1] in (b"400", b"405", b"431")
    assert answered(port)


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00",
        b'{"messages": [{"role": "user", "content": "\xc3\x28"}]}',
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b'{"messages": [{"role": "user", "content": "\\ud800"}], "model": "\\ud800"}',
        b'{"messages": NaN}',
        b'{"messages": [{"role": "user", "content": "\\u0000"}]}',
        b"",
        b"null",
        json.dumps({"messages": [[]] * 30_000}).encode(),
    ],
)
@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/conversations/x/messages", "/v1/conversations"]
)
def test_a_body_that_makes_no_sense_is_never_our_fault(port: int, path: str, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    got = httpx.post(f"http://127.0.0.1:{port}{path}", content=body, headers=headers, timeout=30)
    assert got.status_code < 500
    assert "x-request-id" in got.headers and got.headers["content-security-policy"]


def test_no_other_origin_is_let_in(port: int) -> None:
    asked = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    got = httpx.options(f"http://127.0.0.1:{port}/v1/chat/completions", headers=asked, timeout=30)
    assert got.status_code == 405 and not any(h.startswith("access-control") for h in got.headers)


def test_openais_own_client_works_unchanged(port: int) -> None:
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="anything", timeout=60)
    messages = [{"role": "user", "content": "i cannot sleep before the exam"}]
    whole = client.chat.completions.create(model="smallhours", messages=messages)
    assert whole.choices[0].message.content and whole.smallhours["level"] in ("none", "low")
    parts = client.chat.completions.create(model="smallhours", messages=messages, stream=True)
    assert "".join(part.choices[0].delta.content or "" for part in parts) == whole.choices[0].message.content
    assert [m.id for m in client.models.list()] == ["smallhours-test"]
