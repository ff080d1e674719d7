"""``smallhours serve`` on a finished run: how soon it answers, and how much memory it holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.common import Figure, figure, missing, resident
from bench.serving.load import answered, ask, cry, load, process, question
from bench.serving.plan import Plan
from tests.services import free_port

WARM = "smallhours serve, a finished run, warm files"
WITHOUT_MODEL = "resident after the load, the model's own process not counted"


@dataclass(frozen=True)
class Served:
    """A gateway that answered: where, as what process, and how many seconds after its start."""

    port: int
    pid: int
    seconds: float


@contextmanager
def _served(plan: Plan) -> Iterator[Served]:
    port, began = free_port(), time.perf_counter()
    where = ("--set", f"runs={plan.run.parent.resolve()}", "--port", str(port))
    limits = ("--set", "gateway.per_address_minute=0")
    with process("smallhours", "serve", plan.run.name, *where, *limits, port=port) as started:
        yield Served(port, started.pid, time.perf_counter() - began)


def _no_run(plan: Plan) -> str:
    there = (plan.run / "package").is_dir()
    return "" if there else f"there is no finished run in {plan.run}; 'make run' makes one"


def start(plan: Plan) -> dict[str, Figure]:
    """Seconds from ``smallhours serve`` to its first answer, the run's files read before."""
    name = "serve to first answer"
    if reason := _no_run(plan):
        return {name: missing("s", WARM, reason)}
    taken, sources = [], set()
    with _served(plan):
        pass  # the files are warm now
    for _ in range(plan.rounds):
        with _served(plan) as served:
            taken.append(served.seconds)
            sources.add(ask(served.port, question()).json()["smallhours"]["source"])
    return {name: figure(taken, "s", f"{WARM}; then answered by: {', '.join(sorted(sources))}", 2)}


def memory(plan: Plan) -> dict[str, Figure]:
    """Megabytes after ordinary messages, crises, and remembered conversations."""
    name = "memory of gateway and safety"
    if reason := _no_run(plan):
        return {name: missing("MB", WITHOUT_MODEL, reason)}
    with _served(plan) as served:
        port = served.port
        load(lambda _: answered(ask(port, question())), 4, plan.over_model)
        load(lambda _: answered(ask(port, cry())), 4, plan.crises)
        return {name: figure([resident(served.pid)], "MB", WITHOUT_MODEL, 0)}
