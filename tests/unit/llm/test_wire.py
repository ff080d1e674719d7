"""Each phase of an answer has its limit, and a call can be called off in any of them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import EngineCancelledError, EngineError, EngineTimeoutError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Sampling
from smallhours.llm.engines.openai_http import OpenAiHttpEngine
from smallhours.llm.engines.wire import Patience
from tests.unit.fake_endpoint import Behaviour, drips, endpoint, is_slow, notes_silence

TALK, SAMPLING = Conversation.of("i cant sleep"), Sampling()
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
PIECE = b'data: {"choices": [{"delta": {"content": "Rest. "}}]}\n\n'


def engine_at(url: str, **limits: float) -> OpenAiHttpEngine:
    patience = Patience(**{"first": 5, "idle": 5, "total": 5, **limits})
    return OpenAiHttpEngine(Endpoint(url, "m"), patience=patience, tries=1)


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Accepts one connection and does with it what a well-behaved server would not."""
    over = threading.Event()

    def work() -> None:
        line, _ = listening.accept()
        with line, suppress(OSError):  # the client may have gone
            line.recv(1 << 16)
            talk(line)
            over.wait(5)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=work)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        over.set()
        thread.join()


def comments(line: socket.socket) -> None:
    """Alive, and no token for a second."""
    line.sendall(EVENTS)
    for _ in range(10):
        line.sendall(b": ping\n\n")
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("talk", "limits", "told"),
    [
        pytest.param(lambda line: None, {"first": 0.2}, "silent for 0.2 s", id="no headers"),
        pytest.param(lambda line: line.sendall(EVENTS), {"first": 0.2}, "silent for 0.2 s", id="no token"),
        pytest.param(comments, {"first": 0.3}, "silent for 0.3 s", id="comments are no tokens"),
        pytest.param(
            lambda line: line.sendall(EVENTS + PIECE), {"idle": 0.2}, "silent for 0.2 s", id="stalled"
        ),
        pytest.param(
            lambda line: line.sendall(EVENTS + PIECE), {"total": 0.2}, "not done after 0.2 s", id="over all"
        ),
    ],
)
def test_a_phase_that_takes_too_long_ends_the_call(
    talk: Callable[[socket.socket], None], limits: dict[str, float], told: str
) -> None:
    with raw_server(talk) as url:
        began = time.monotonic()
        with pytest.raises(EngineTimeoutError, match=told):
            engine_at(url, **limits).complete(TALK, SAMPLING)
        assert time.monotonic() - began < 1


def test_tokens_that_keep_coming_meet_the_limit_over_all() -> None:
    with endpoint(drips()) as fake:
        with pytest.raises(EngineTimeoutError, match=r"not done after 0\.3 s"):
            engine_at(fake.url, total=0.3).complete(TALK, SAMPLING)
        assert fake.hung_up.wait(2)


@pytest.mark.parametrize("behaviour", [drips(), notes_silence], ids=["mid-stream", "before the first token"])
@pytest.mark.parametrize("streamed", [True, False])
def test_calling_off_hangs_up_on_the_server_at_once(behaviour: Behaviour, streamed: bool) -> None:
    with endpoint(behaviour) as fake:
        cancel, engine = Cancellation(), engine_at(fake.url)
        threading.Thread(target=lambda: fake.started.wait(5) and cancel.cancel()).start()
        began = time.monotonic()
        with pytest.raises(EngineCancelledError):
            if streamed:
                list(engine.stream(TALK, SAMPLING, cancel))
            else:
                engine.complete(TALK, SAMPLING, cancel)
        assert time.monotonic() - began < 1
        assert fake.hung_up.wait(2)


def test_closing_the_stream_hangs_up() -> None:
    with endpoint(drips()) as fake:
        pieces = engine_at(fake.url).stream(TALK, SAMPLING)
        assert next(pieces) == "word "
        pieces.close()  # type: ignore[attr-defined]
        assert fake.hung_up.wait(2)


def test_who_calls_off_before_it_begins_asks_nobody() -> None:
    cancel = Cancellation()
    cancel.cancel()
    with endpoint(is_slow) as fake, pytest.raises(EngineCancelledError):
        engine_at(fake.url).complete(TALK, SAMPLING, cancel)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        pytest.param(b"\x00\xff\xfe garbage\r\n\r\n", "hung up", id="no HTTP"),
        pytest.param(EVENTS + b"data: {\xff\xfe}\n\n", "does not answer in JSON", id="broken UTF-8"),
        pytest.param(EVENTS + b"x" * (2 << 20), "a line of more than", id="an endless line"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\nzz\r\n",
            "hung up",
            id="a chunk of no size",
        ),
    ],
)
def test_nonsense_is_an_engine_error(sent: bytes, told: str) -> None:
    with raw_server(lambda line: line.sendall(sent)) as url, pytest.raises(EngineError, match=told):
        engine_at(url).complete(TALK, SAMPLING)
