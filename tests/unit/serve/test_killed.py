"""A gateway that is killed, stopped and started again: a real process, real signals."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.services import free_port, wait_for
from tests.unit.serve.conftest import GOOD

ROOT = Path(__file__).parents[3]
SLEEP = "another long night, i keep thinking of tomorrow and cannot sleep"

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Start]:
    begun: list[subprocess.Popen[bytes]] = []

    def run(seconds: float) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "tests.unit.serve.gateway_process",
            tmp_path,
            str(port),
            str(seconds),
        ]
        process = subprocess.Popen(command, cwd=ROOT)
        begun.append(process)
        wait_for(port, process, 120)
        return process

    yield run
    for process in begun:
        process.kill()
        process.wait()


def test_killed_with_a_reply_on_its_way_then_before_one_and_nothing_is_lost(start: Start, port: int) -> None:
    url = f"http://127.0.0.1:{port}/v1/conversations"
    process = start(0)
    with httpx.Client(timeout=120) as client:
        begun = client.post(url, json={"consent": True}).json()
        path, headers = f"{url}/{begun['id']}", {"smallhours-token": begun["token"]}
        with client.stream(
            "POST", f"{path}/messages", json={"content": SLEEP, "stream": True}, headers=headers
        ) as got:
            next(line for line in got.iter_lines() if line.startswith("data: "))
            process.kill()  # the reply has begun
    process.wait()

    process = start(30)
    with httpx.Client(timeout=120) as client:
        kept = client.get(path, headers=headers).json()["messages"]
        assert [m["content"] for m in kept] == [SLEEP, GOOD]
    named = {**headers, "idempotency-key": "second"}
    second = {"content": "it is the exam that keeps me awake"}

    def say() -> None:
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{path}/messages", json=second, headers=named, timeout=120)

    saying = threading.Thread(target=say)
    saying.start()
    while len(httpx.get(path, headers=headers, timeout=120).json()["messages"]) < 3:
        pass
    process.kill()  # heard, and not answered yet
    process.wait()
    saying.join()

    process = start(1)
    said = httpx.post(f"{path}/messages", json=second, headers=named, timeout=120).json()
    assert said["smallhours"]["memory"] == {"stored": True}
    kept = httpx.get(path, headers=headers, timeout=120).json()["messages"]
    assert [m["content"] for m in kept] == [SLEEP, GOOD, second["content"], GOOD]

    # Told to stop, it finishes what it has begun, and takes nothing new.
    third: list[httpx.Response] = []

    def last() -> None:
        third.append(
            httpx.post(f"{path}/messages", json={"content": "and again"}, headers=headers, timeout=120)
        )

    saying = threading.Thread(target=last)
    saying.start()
    while len(httpx.get(path, headers=headers, timeout=120).json()["messages"]) < 5:
        pass
    process.send_signal(signal.SIGTERM)
    saying.join()
    process.wait(timeout=60)
    assert third[0].status_code == 200 and third[0].json()["smallhours"]["memory"] == {"stored": True}
    with pytest.raises(httpx.ConnectError):
        httpx.get(path, headers=headers)
