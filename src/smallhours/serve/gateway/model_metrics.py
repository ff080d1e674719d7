"""How the model's servers are, for Prometheus: read when it asks, so never out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from smallhours.domain.ports import ModelHealth, ModelState


class ModelCollector(Collector):
    """One series a server; names are hosts of the settings, states come from a closed list."""

    def __init__(self, health: Callable[[], tuple[ModelHealth, ...]]) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """As of now."""
        up = GaugeMetricFamily("smallhours_model_up", "Whether the server answers", labels=["server"])
        state = GaugeMetricFamily("smallhours_model_state", "1 for its state", labels=["server", "state"])
        busy = GaugeMetricFamily("smallhours_model_in_flight", "Answers under way", labels=["server"])
        again = CounterMetricFamily("smallhours_model_restarts", "Times it was restarted", labels=["server"])
        for one in self._health():
            up.add_metric([one.name], float(one.answers))
            busy.add_metric([one.name], one.in_flight)
            again.add_metric([one.name], one.restarts)
            for name in get_args(ModelState):
                state.add_metric([one.name, name], float(name == one.state))
        yield from (up, state, busy, again)
