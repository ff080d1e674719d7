"""Processes to measure, and the load that they are put under."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services import free_port

HERE = Path(__file__).parents[2]
STARTING = 120.0  # seconds that a part may take to answer
CHAT = "/v1/chat/completions"
_QUESTIONS = (
    "my flatmate leaves the dishes for days and i am too tired to argue",
    "i have to give a speech on friday and feel sick already",
    "the baby wakes every hour and i snap at everybody",
    "i moved here in spring and still eat lunch alone",
    "my dad compares me with my cousin at every dinner",
    "i keep putting off one phone call and it grows every day",
)

_numbers = itertools.count()


def question() -> str:
    """A message that nobody has written before: nothing that is kept of earlier ones answers it."""
    number = next(_numbers)
    return f"{_QUESTIONS[number % len(_QUESTIONS)]}, and it is day {number // len(_QUESTIONS)} of it"


def cry() -> str:
    """A crisis in words that nobody has written before."""
    return f"i want to kill myself tonight, it has been {next(_numbers)} days"


@dataclass(frozen=True)
class Answered:
    """What came back, and after how many seconds all of it was there."""

    seconds: float
    status: int
    text: str
    retry_after: float | None = None

    def json(self) -> Any:
        """The body, of one that is JSON."""
        return json.loads(self.text)


def post(port: int, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answered:
    """The answer to a POST, on a connection of its own. Raises OSError, HTTPException."""
    return _asked(port, "POST", path, json.dumps(body), headers or {})


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> Answered:
    """The answer to a GET. Raises OSError, HTTPException."""
    return _asked(port, "GET", path, None, headers or {})


def _asked(port: int, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Answered:
    began = time.perf_counter()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=STARTING)
    try:
        line.request(method, path, body, {"Content-Type": "application/json", **headers})
        response = line.getresponse()
        text = response.read().decode()
    finally:
        line.close()
    told = response.getheader("retry-after")
    return Answered(time.perf_counter() - began, response.status, text, float(told) if told else None)


def ask(port: int, text: str, *, stream: bool = False) -> Answered:
    """The answer of a gateway, or of a model server, to one message."""
    return post(port, CHAT, {"model": "m", "messages": [{"role": "user", "content": text}], "stream": stream})


def answered(got: Answered) -> float:
    """Its seconds. A refusal is no answer, however fast: it ends the bench."""
    if got.status != 200:
        raise SystemExit(f"status {got.status} in place of an answer: {got.text[:200]}")
    return got.seconds


@contextmanager
def process(*command: str, port: int, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module as a process, once it answers."""
    paths = {"PYTHONPATH": os.pathsep.join([str(HERE / "src"), str(HERE)])}
    started = subprocess.Popen([sys.executable, "-m", *command], env=os.environ | paths | variables, cwd=HERE)
    try:
        until(lambda: started.poll() is not None or _answers(port))
        if started.poll() is not None:
            raise SystemExit(f"{' '.join(command)}: it ended with code {started.returncode}")
        yield started
    finally:
        started.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            started.wait(10)
        started.kill()
        started.wait()


@dataclass(frozen=True)
class OverStandIn:
    """A gateway over a model server without a model: both processes, and where they listen."""

    model: subprocess.Popen[bytes]
    model_port: int
    gateway: subprocess.Popen[bytes]
    port: int


@contextmanager
def over_stand_in(seconds: float, *settings: str) -> Iterator[OverStandIn]:
    """An answer of the stand-in takes so many seconds; ``settings`` are the gateway's."""
    stand_in, port = free_port(), free_port()
    url = f"http://127.0.0.1:{stand_in}/v1"
    with (
        process("bench.serving.stand_in", str(stand_in), str(seconds), port=stand_in) as model,
        process("bench.serving.gateway", str(port), url, "m", *settings, port=port) as gateway,
    ):
        yield OverStandIn(model, stand_in, gateway, port)


def _answers(port: int) -> bool:
    try:
        return ask(port, question()).status == 200
    except (OSError, http.client.HTTPException):
        return False


def until(true: Callable[[], bool], pause: float = 0.01) -> float:
    """Seconds until it is true."""
    began = time.perf_counter()
    while not true():
        if time.perf_counter() - began > STARTING:
            raise SystemExit(f"nothing happened for {STARTING:.0f} s")
        time.sleep(pause)
    return time.perf_counter() - began


def load(call: Callable[[int], float], streams: int, requests: int, spread: float = 0.0) -> list[float]:
    """What each of so many calls took, so many of them at a time; sorted.

    The first ones begin within ``spread`` seconds of each other: people do not all write at one moment.
    """

    def one(number: int) -> float:
        if number < streams:
            time.sleep(spread * number / streams)
        return call(number)

    with ThreadPoolExecutor(streams) as pool:
        return sorted(pool.map(one, range(requests)))


def p95(taken: list[float]) -> float:
    """Of sorted values."""
    return taken[int(0.95 * (len(taken) - 1))]
