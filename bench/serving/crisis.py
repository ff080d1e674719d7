"""What a person in danger waits for while something else is broken."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from bench.common import Figure, figure, missing
from bench.serving.crowd import Crowd
from bench.serving.load import Answered, ask, cry, get, load, over_stand_in, p95, post, until
from bench.serving.plan import Plan
from scripts.ensure_services import find
from smallhours.serve.memory.masters import add_master
from tests.services import Postgres, postgres

CROWD = 40  # people, for 16 places at the model and 16 in the queue
SLOW = 4.0  # seconds of an answer while the queue is full
Ask = Callable[[], Answered]


def measure(plan: Plan) -> dict[str, Figure]:
    """Milliseconds of a crisis answer, one after another, and sixteen at a time with the model dead."""
    return _model(plan) | _queue(plan) | _database(plan)


def _figures(what: str, call: Ask, plan: Plan, together: int = 1) -> dict[str, Figure]:
    def one(number: int) -> float:
        got = call()
        if got.status != 200 or got.json()["smallhours"]["source"] != "crisis":
            raise SystemExit(f"{what}: no crisis answer, but {got.status} {got.text[:200]}")
        return 1000 * got.seconds

    runs = [load(one, together, plan.crises) for _ in range(plan.rounds)]
    how = f"{plan.crises} a run, {together} at a time"
    return {
        f"crisis answer, {what}, p95": figure([p95(run) for run in runs], "ms", how),
        f"crisis answer, {what}, longest": figure([run[-1] for run in runs], "ms", how),
    }


def _model(plan: Plan) -> dict[str, Figure]:
    with over_stand_in(0.1) as served:
        port = served.port
        found = _figures("all well", lambda: ask(port, cry()), plan)
        served.model.kill()
        found |= _figures("model dead", lambda: ask(port, cry()), plan)
        return found | _figures("model dead, 16 at a time", lambda: ask(port, cry()), plan, 16)


def _queue(plan: Plan) -> dict[str, Figure]:
    with over_stand_in(SLOW) as served, Crowd(served.port, CROWD).writing():
        until(lambda: "smallhours_inside 32.0" in get(served.port, "/metrics").text)
        return _figures("queue full", lambda: ask(served.port, cry()), plan)


def _database(plan: Plan) -> dict[str, Figure]:
    """In remembered conversations, each person's own, whose database goes away."""
    if find("postgres") is None:
        reason = "no PostgreSQL here; scripts/ensure_services.py installs it"
        return {"crisis answer, database dead, p95": missing("ms", "PostgreSQL", reason)}
    with tempfile.TemporaryDirectory(prefix="smallhours-bench-") as folder, postgres() as server:
        master = Path(folder) / "master.key"
        add_master(master)
        kept = ("memory.enabled=true", f"memory.url={server.url('postgres')}", f"memory.master=file:{master}")
        with over_stand_in(0.1, *kept) as served:
            port = served.port
            begun = [post(port, "/v1/conversations", {"consent": True}).json() for _ in range(plan.crises)]
            turns = cycle(begun)

            def say() -> Answered:
                at = next(turns)
                path = f"/v1/conversations/{at['id']}/messages"
                return post(port, path, {"content": cry()}, {"smallhours-token": at["token"]})

            found = _figures("remembered", say, plan)
            with _stopped(server):
                found |= _figures("database dead", say, plan)
            return found


@contextmanager
def _stopped(server: Postgres) -> Iterator[None]:
    server.stop("immediate")
    try:
        yield
    finally:
        server.start()
