"""Tokens per second through the gateway, and of the engine beneath it."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.common import Figure, figure
from bench.serving.gateway import KEY, STREAMS, SYSTEM, TOKENS
from bench.serving.load import (
    CHAT,
    STARTING,
    answered,
    ask,
    get,
    load,
    post,
    process,
    question,
)
from bench.serving.plan import Plan
from smallhours.llm.catalog import EMBEDDED
from smallhours.llm.engines.llama_server import LlamaOptions
from smallhours.serve.model_server.supervisor import Supervisor
from tests.services import free_port

_COUNT = "llamacpp:tokens_predicted_total"


class Bare:
    """llama-server, supervised as in the service, and asked without a gateway."""

    def __init__(self, server: Supervisor) -> None:
        self.port = int(server.url.rpartition(":")[2])
        self.headers = {"Authorization": f"Bearer {server.key}"}
        self.name = str(get(self.port, "/v1/models", self.headers).json()["data"][0]["id"])

    def ask(self, text: str) -> float:
        """Seconds of an answer to the question as the gateway puts it."""
        body = {
            "model": self.name,
            "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}],
            "temperature": 0,
            "max_tokens": TOKENS,
            "stream": True,
        }
        return answered(post(self.port, CHAT, body, self.headers))

    def written(self) -> float:
        """Tokens since it was started."""
        lines = get(self.port, "/metrics", self.headers).text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(_COUNT))


def measure(plan: Plan) -> dict[str, Figure]:
    """Through the gateway and without it, in turns, the first of a round by turns, too."""
    server = Supervisor(LlamaOptions(str(EMBEDDED.weights()), parallel=STREAMS, context=1024))
    server.start()
    try:
        if not server.wait(STARTING):
            raise SystemExit("the model server did not start")
        bare, port = Bare(server), free_port()
        with process(
            "bench.serving.gateway", str(port), f"{server.url}/v1", bare.name, port=port, **{KEY: server.key}
        ):
            sides = (lambda _: answered(ask(port, question())), lambda _: bare.ask(question()))
            load(sides[1], STREAMS, STREAMS)  # every place at the model has seen a prompt
            ours, theirs = [], []
            for number in range(plan.rounds):
                rates = {}
                for side in (0, 1) if number % 2 == 0 else (1, 0):
                    rates[side] = _rate(bare, sides[side], plan.over_model)
                ours.append(rates[0])
                theirs.append(rates[1])
    finally:
        server.stop()
    what = f"{STREAMS} at a time, {plan.over_model} requests a run"
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {
        f"tokens per second through the gateway, {STREAMS} streams": figure(ours, "tokens/s", what),
        f"tokens per second of bare llama-server, {STREAMS} streams": figure(theirs, "tokens/s", what),
        "tokens per second against bare llama-server": figure(ratios, "x", f"bare llama-server, {what}", 2),
    }


def _rate(bare: Bare, call: Callable[[int], float], requests: int) -> float:
    """Tokens that the model wrote per second while the calls ran."""
    before, began = bare.written(), time.perf_counter()
    load(call, STREAMS, requests)
    taken = time.perf_counter() - began
    return (bare.written() - before) / taken
