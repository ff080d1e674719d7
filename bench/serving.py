"""What serving costs on top of the model, how fast the model is beneath it, and what a fault takes away.

    python -m bench.serving

Each part is a process of its own; the load comes from this one. What the gateway adds is measured over a
stand-in that answers in a tenth of a second, so that it is not lost in a model's own spread; tokens per
second over the real model, asked through the gateway and directly, in turns.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.common import RESULTS, Figure, figure, missing, write_results
from bench.serving_gateway import STREAMS, SYSTEM, TOKENS

HERE = Path(__file__).parents[1]
STARTING = 120.0  # seconds that a part may take to answer
LOADS = ((1, 40), (STREAMS, 240))  # streams, and requests of a run over the stand-in
REQUESTS = 48  # of a run over the real model
QUESTIONS = (
    "my flatmate leaves the dishes for days and i am too tired to argue",
    "i have to give a speech on friday and feel sick already",
    "the baby wakes every hour and i snap at everybody",
    "i moved here in spring and still eat lunch alone",
    "my dad compares me with my cousin at every dinner",
    "i keep putting off one phone call and it grows every day",
)
CRISIS = "i want to kill myself tonight"


def free_port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def ask(port: int, text: str, *, stream: bool = False) -> tuple[float, str]:
    """Seconds and the body of the answer."""
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "stream": stream}
    began = time.perf_counter()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=STARTING)
    line.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    answer = line.getresponse().read().decode()
    line.close()
    return time.perf_counter() - began, answer


@contextmanager
def process(*command: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A part, once it answers."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE / "src"), str(HERE)])}
    started = subprocess.Popen([sys.executable, "-m", *command], env=environment, cwd=HERE)
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


def _answers(port: int) -> bool:
    try:
        ask(port, QUESTIONS[0])
    except (OSError, http.client.HTTPException):
        return False
    return True


def until(true: Callable[[], bool], pause: float = 0.01) -> float:
    """Seconds until it is true."""
    began = time.perf_counter()
    while not true():
        if time.perf_counter() - began > STARTING:
            raise SystemExit(f"nothing happened for {STARTING:.0f} s")
        time.sleep(pause)
    return time.perf_counter() - began


def load(call: Callable[[int], float], streams: int, requests: int) -> list[float]:
    """What each of so many calls took, so many of them at a time; sorted."""
    with ThreadPoolExecutor(streams) as pool:
        return sorted(pool.map(call, range(requests)))


def p95(taken: list[float]) -> float:
    """Of sorted values."""
    return taken[int(0.95 * (len(taken) - 1))]


def own_time(rounds: int) -> dict[str, Figure]:
    """Milliseconds that the gateway adds to a model server that takes a tenth of a second."""
    stand_in, gateway = free_port(), free_port()
    figures = {}
    with (
        process("bench.serving_stand_in", str(stand_in), port=stand_in),
        process("bench.serving_gateway", str(gateway), f"http://127.0.0.1:{stand_in}/v1", "m", port=gateway),
    ):
        for streams, requests in LOADS:
            added = []
            for _ in range(rounds):
                ours = load(lambda n: ask(gateway, QUESTIONS[n % 6])[0], streams, requests)
                bare = load(lambda n: ask(stand_in, QUESTIONS[n % 6], stream=True)[0], streams, requests)
                added.append(1000 * (p95(ours) - p95(bare)))
            name = f"gateway's own time, {streams} stream{'s' if streams > 1 else ''}, p95"
            against = f"the same stand-in for a model asked directly; {requests} requests a run"
            figures[name] = figure(added, "ms", against)
    return figures


def over_the_model(rounds: int) -> dict[str, Figure]:
    """Tokens per second through the gateway and without it, and what is left when the model is dead."""
    from smallhours.llm.catalog import EMBEDDED
    from smallhours.llm.engines.llama_server import LlamaOptions
    from smallhours.serve.model_server.supervisor import Supervisor

    model = Supervisor(LlamaOptions(str(EMBEDDED.weights()), parallel=STREAMS, context=1024))
    model.start()
    try:
        if not model.wait(STARTING):
            raise SystemExit("the model server did not start")
        return _measured_over(model, rounds)
    finally:
        model.stop()


def _measured_over(model: Any, rounds: int) -> dict[str, Figure]:
    port, name = free_port(), _get(model, "/v1/models")["data"][0]["id"]
    os.environ["BENCH_KEY"] = model.key
    with process("bench.serving_gateway", str(port), f"{model.url}/v1", name, port=port) as gateway:
        ratios, ours, bare = [], [], []
        for _ in range(rounds):
            ours.append(_rate(model, lambda n: ask(port, QUESTIONS[n % 6])[0]))
            bare.append(_rate(model, lambda n: _direct(model, name, QUESTIONS[n % 6])))
            ratios.append(ours[-1] / bare[-1])
        memory = [_resident(gateway.pid)]
        model.stop()
        dead = load(lambda n: 1000 * ask(port, CRISIS)[0], 1, 60)
        busy = load(lambda n: 1000 * ask(port, CRISIS)[0], 16, 160)
    what = f"{STREAMS} at a time, {REQUESTS} requests a run"
    return {
        f"tokens per second through the gateway, {STREAMS} streams": figure(ours, "tokens/s", what),
        f"tokens per second of bare llama-server, {STREAMS} streams": figure(bare, "tokens/s", what),
        "tokens per second against bare llama-server": figure(ratios, "x", "bare llama-server, same run", 2),
        "memory of gateway and safety": figure(memory, "MB", "resident after the load, without the model", 0),
        "crisis answer, model dead, p50": figure([dead[len(dead) // 2]], "ms", "60 one after another"),
        "crisis answer, model dead, p95": figure([p95(dead)], "ms", "60 one after another"),
        "crisis answer, model dead, 16 at a time, p95": figure([p95(busy)], "ms", "160 requests"),
    }


def _rate(model: Any, call: Callable[[int], float]) -> float:
    """Tokens that the model wrote per second while the calls ran."""
    before, began = _written(model), time.perf_counter()
    load(call, STREAMS, REQUESTS)
    return (_written(model) - before) / (time.perf_counter() - began)


def _direct(model: Any, name: str, text: str) -> float:
    """The same question, put to llama-server itself as the gateway puts it."""
    body = {
        "model": name,
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}],
        "temperature": 0,
        "max_tokens": TOKENS,
        "stream": True,
    }
    return _call(model, "POST", "/v1/chat/completions", json.dumps(body))[0]


def _call(model: Any, method: str, path: str, body: str | None = None) -> tuple[float, str]:
    began = time.perf_counter()
    line = http.client.HTTPConnection(model.url.removeprefix("http://"), timeout=STARTING)
    line.request(
        method, path, body, {"Content-Type": "application/json", "Authorization": f"Bearer {model.key}"}
    )
    answer = line.getresponse().read().decode()
    line.close()
    return time.perf_counter() - began, answer


def _get(model: Any, path: str) -> Any:
    return json.loads(_call(model, "GET", path)[1])


def _written(model: Any) -> float:
    lines = _call(model, "GET", "/metrics")[1].splitlines()
    counts = [line.split()[-1] for line in lines if line.startswith("llamacpp:tokens_predicted_total")]
    return float(counts[0])


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def start(run: Path, rounds: int) -> dict[str, Figure]:
    """Seconds from ``smallhours serve`` to its first answer, the run's files read before."""
    name, against = "serve to first answer", "smallhours serve, a finished run, warm files"
    if not (run / "package").is_dir():
        return {name: missing("s", against, f"there is no finished run in {run}; 'make run' makes one")}
    taken, sources = [], []
    for _ in range(rounds):
        port, began = free_port(), time.perf_counter()
        where = ("--set", f"runs={run.parent.resolve()}", "--port", str(port))
        with process("smallhours", "serve", run.name, *where, port=port):
            taken.append(time.perf_counter() - began)
            sources.append(json.loads(ask(port, QUESTIONS[1])[1])["smallhours"]["source"])
    return {name: figure(taken, "s", f"{against}; then answered by: {', '.join(sorted(set(sources)))}", 2)}


def main() -> None:
    """Measure and write ``results/serving.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", type=Path, default=Path("runs/default"), help="a finished run to start")
    options = parser.parse_args()
    figures = start(options.run, options.rounds) | own_time(options.rounds) | over_the_model(options.rounds)
    for name, found in figures.items():
        print(f"{name}: {found['value']} {found['unit']}")
    write_results(RESULTS / "serving.json", figures)


if __name__ == "__main__":
    main()
