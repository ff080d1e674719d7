"""What the gateway adds to a model server."""

from __future__ import annotations

from bench.common import Figure, figure
from bench.serving.gateway import STREAMS
from bench.serving.load import answered, ask, load, over_stand_in, p95, question
from bench.serving.plan import Plan
from bench.serving.stand_in import SECONDS


def measure(plan: Plan) -> dict[str, Figure]:
    """Milliseconds on top of a stand-in, alone and with others."""
    figures = {}
    with over_stand_in(SECONDS) as served:
        gateway, stand_in = served.port, served.model_port
        for streams, requests in ((1, plan.alone), (STREAMS, plan.together)):
            added, bare_ones = [], []
            for _ in range(plan.rounds):
                ours = load(lambda _: answered(ask(gateway, question())), streams, requests, SECONDS)
                bare = load(
                    lambda _: answered(ask(stand_in, question(), stream=True)), streams, requests, SECONDS
                )
                added.append(1000 * (p95(ours) - p95(bare)))
                bare_ones.append(1000 * p95(bare))
            name = f"{streams} stream{'s' if streams > 1 else ''}, p95"
            against = f"the same stand-in for a model asked directly; {requests} requests a run"
            figures[f"gateway's own time, {name}"] = figure(added, "ms", against)
            figures[f"stand-in asked directly, {name}"] = figure(bare_ones, "ms", against)
    return figures
