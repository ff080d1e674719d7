"""The real model in its real process, and everything that can happen to that."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.errors import EngineCancelledError, EngineError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Engine, ModelIdentity, Sampling, Watched
from smallhours.llm.catalog import EMBEDDED
from smallhours.llm.chat_format import CHATML
from smallhours.llm.engines.llama_server import LlamaOptions
from smallhours.serve.model_server.engine import ModelServerEngine
from smallhours.serve.model_server.supervisor import Supervisor, Timings
from tests.waiting import until

TALK = Conversation.of("i cant sleep")
SHORT, ENDLESS = Sampling(max_tokens=8), Sampling(max_tokens=1500, temperature=2.0, seed=1)
# One thread: two that wait for each other crawl on a machine that is busy otherwise.
OPTIONS = LlamaOptions(str(EMBEDDED.weights()), parallel=2, threads=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Supervisor]:
    supervisor = Supervisor(OPTIONS, Timings(hopeless=2, first_wait=0.05))
    supervisor.start()
    assert supervisor.wait(120)
    yield supervisor
    supervisor.stop()


@pytest.fixture
def engine(server: Supervisor) -> ModelServerEngine:
    assert server.wait(120)
    return ModelServerEngine(server, CHATML, "Be kind.", ModelIdentity(base="b"))


def requests_under_way(server: Supervisor) -> float:
    asked = urllib.request.Request(f"{server.url}/metrics", headers={"Authorization": f"Bearer {server.key}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(v) for k, v in (ln.rsplit(" ", 1) for ln in lines) if k.startswith("llamacpp:requests_"))


def test_it_is_an_engine_that_says_how_it_is(server: Supervisor, engine: ModelServerEngine) -> None:
    assert isinstance(engine, Engine) and isinstance(engine, Watched)
    found = engine.complete(TALK, SHORT)
    assert found.text and (found.tokens, found.finish) == (8, "length")
    assert "".join(engine.stream(TALK, SHORT)).strip() == found.text
    (health,) = engine.health()
    assert (health.state, health.answers, health.in_flight) == ("ready", True, 0)


def test_nobody_else_on_this_machine_may_use_it(server: Supervisor) -> None:
    body = b'{"prompt": "x", "n_predict": 1}'
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{server.url}/v1/completions", body), timeout=30)
    assert refused.value.code == 401


def test_calling_off_frees_the_model(server: Supervisor, engine: ModelServerEngine) -> None:
    cancel = Cancellation()
    threading.Thread(target=lambda: until(lambda: requests_under_way(server) > 0) and cancel.cancel()).start()
    with pytest.raises(EngineCancelledError):
        engine.complete(TALK, ENDLESS, cancel)
    assert until(lambda: requests_under_way(server) == 0) < 5


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_whoever_waits_is_told_at_once_and_the_next_one_is_answered(
    server: Supervisor, engine: ModelServerEngine, sign: signal.Signals
) -> None:
    restarts, pid = server.state.restarts, server.state.pid
    pieces = engine.stream(TALK, ENDLESS)
    next(pieces)
    os.kill(pid or 0, sign)
    began = time.monotonic()
    with pytest.raises(EngineError, match="went down"):
        list(pieces)
    assert time.monotonic() - began < 2
    with pytest.raises(EngineError, match="model server is"):
        engine.complete(TALK, SHORT)
    until(lambda: server.state.restarts > restarts and server.state.name == "ready")
    assert engine.complete(TALK, SHORT).text


def test_one_that_runs_out_of_memory_is_replaced(server: Supervisor, engine: ModelServerEngine) -> None:
    pid, restarts = server.state.pid or 0, server.state.restarts
    used = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(pid, resource.RLIMIT_AS, (used, used))
    with pytest.raises(EngineError):
        for _ in range(20):
            engine.complete(Conversation.of("sleep " * 1200), Sampling(max_tokens=300, temperature=1))
    until(lambda: server.state.restarts > restarts and server.state.name == "ready")
    assert engine.complete(TALK, SHORT).text


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_a_parent_that_is_killed_leaves_no_orphan(stopped: bool) -> None:
    script = (
        "import os, signal, sys\n"
        "from smallhours.llm.engines.llama_server import LlamaOptions\n"
        "from smallhours.serve.model_server.supervisor import Supervisor\n"
        f"supervisor = Supervisor(LlamaOptions({OPTIONS.weights!r}, threads=1))\n"
        "supervisor.start()\n"
        "assert supervisor.wait(120)\n"
        "print(supervisor.state.pid, flush=True)\n"
        f"os.kill(supervisor.state.pid, signal.SIGSTOP) if {stopped} else None\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL
    child = Path(f"/proc/{done.stdout.strip()}")
    until(lambda: not child.exists() or "zombie" in (child / "status").read_text(), 10)


def test_weights_that_are_none_are_said_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF and then nothing")
    supervisor = Supervisor(LlamaOptions(str(broken)))
    supervisor.start()
    with pytest.raises(EngineError, match=r"broken\.gguf: llama\.cpp cannot load it"):
        supervisor.wait(60)
    supervisor.stop()
