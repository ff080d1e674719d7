"""An OpenAI-compatible endpoint on a free port of this machine, which behaves as a test wants it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Request = dict[str, Any]
Behaviour = Callable[["_Handler", Request], None]


def says(text: str | Callable[[Request], str], finish: str = "stop") -> Behaviour:
    """An answer in good order; ``text`` may depend on the request."""

    def behave(handler: _Handler, request: Request) -> None:
        content = text if isinstance(text, str) else text(request)
        choice = {"message": {"role": "assistant", "content": content}, "finish_reason": finish}
        handler.send(200, json.dumps({"choices": [choice], "usage": {"completion_tokens": 7}}))

    return behave


def sends(status: int, body: str = "{}") -> Behaviour:
    """Any status and body."""
    return lambda handler, _: handler.send(status, body)


def streams(*pieces: str, done: bool = True, extra: Sequence[str] = ()) -> Behaviour:
    """Server-sent events, as vLLM, Ollama and llama-server write them; without ``done`` it breaks off."""

    def behave(handler: _Handler, request: Request) -> None:
        assert request["stream"] is True
        events = [json.dumps({"choices": [{"delta": {"role": "assistant"}, "finish_reason": None}]})]
        events += [
            json.dumps({"choices": [{"delta": {"content": p}, "finish_reason": None}]}, ensure_ascii=False)
            for p in pieces
        ]
        events += [*extra, "[DONE]"] if done else extra
        lines = ": a comment\n\n" + "".join(f"data: {event}\n\n" for event in events)
        handler.send(200, lines, "text/event-stream")

    return behave


def drips(piece: str = "word ", pause: float = 0.02) -> Behaviour:
    """Piece after piece without an end, and notes when the client hangs up."""

    def behave(handler: _Handler, request: Request) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        handler.close_connection = True
        event = json.dumps({"choices": [{"delta": {"content": piece}, "text": piece}]})
        handler.endpoint.started.set()
        try:
            while not handler.endpoint.over.wait(pause):
                handler.wfile.write(f"data: {event}\n\n".encode())
        except OSError:
            handler.endpoint.hung_up.set()

    return behave


def notes_silence(handler: _Handler, request: Request) -> None:
    """Says nothing, and notes when the client hangs up."""
    handler.endpoint.started.set()
    handler.close_connection = True
    handler.connection.settimeout(10)
    if handler.connection.recv(1) == b"":
        handler.endpoint.hung_up.set()


def hangs_up(handler: _Handler, request: Request) -> None:
    """Closes the connection without a word."""
    handler.close_connection = True


def is_slow(handler: _Handler, request: Request) -> None:
    """Says nothing for as long as the test runs."""
    handler.endpoint.over.wait(10)
    handler.close_connection = True


class FakeEndpoint:
    """What it was asked and how it behaves, one behaviour a request; the last holds from then on."""

    def __init__(self, behaviours: Sequence[Behaviour], models: Sequence[Request] | None = None) -> None:
        self.behaviours = list(behaviours)
        self.models = models
        self.requests: list[Request] = []
        self.headers: list[Message] = []
        self.url = ""
        self.over, self.started, self.hung_up = threading.Event(), threading.Event(), threading.Event()

    def next_behaviour(self) -> Behaviour:
        return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    endpoint: FakeEndpoint

    def do_GET(self) -> None:
        if self.path != "/v1/models" or self.endpoint.models is None:
            self.send(404, "{}")
            return
        self.send(200, json.dumps({"object": "list", "data": list(self.endpoint.models)}))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path not in ("/v1/chat/completions", "/v1/completions"):
            self.send(404, "{}")
            return
        self.endpoint.requests.append(request)
        self.endpoint.headers.append(self.headers)
        self.endpoint.next_behaviour()(self, request)

    def send(self, status: int, body: str, kind: str = "application/json") -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def endpoint(*behaviours: Behaviour, models: Sequence[Request] | None = None) -> Iterator[FakeEndpoint]:
    """The endpoint while the block runs; ``models`` is what it lists, if it keeps a list."""
    fake = FakeEndpoint(behaviours, models)
    handler = type("Handler", (_Handler,), {"endpoint": fake})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        fake.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        serving.start()
        try:
            yield fake
        finally:
            fake.over.set()
            server.shutdown()
            serving.join()
