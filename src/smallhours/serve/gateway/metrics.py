"""Counts for the operator. Labels come from closed lists, so no text of a person can get in."""

from __future__ import annotations

import os
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from smallhours.domain.ports import ModelHealth
from smallhours.serve.assistant import Reply
from smallhours.serve.gateway.model_metrics import ModelCollector

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 20, 30, 60)


class Metrics:
    """Replies by level, category and source, candidates stopped by rule, and seconds per reply."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._models: ModelCollector | None = None
        self._replies = Counter(
            "smallhours_replies", "Replies sent", ["level", "source"], registry=self._registry
        )
        self._categories = Counter(
            "smallhours_categories", "Replies by what was found", ["category"], registry=self._registry
        )
        self._rejected = Counter(
            "smallhours_candidates_rejected", "Candidates not sent", ["rule"], registry=self._registry
        )
        self._seconds = Histogram(
            "smallhours_reply_seconds",
            "Seconds from message to reply",
            ["source"],
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._feedback = Counter(
            "smallhours_feedback",
            "Ratings and reports of replies",
            ["source", "verdict"],
            registry=self._registry,
        )

        self._requests = Counter(
            "smallhours_requests", "Responses sent", ["route", "status"], registry=self._registry
        )
        self._refused = Counter(
            "smallhours_refused", "Ordinary messages not answered", ["why"], registry=self._registry
        )
        self._failures = Counter(
            "smallhours_store_failures",
            "Calls a store did not answer",
            ["store"],
            registry=self._registry,
        )

        self._inside = Gauge(
            "smallhours_inside",
            "Ordinary messages that are answered or wait",
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def inside(self, count: int) -> None:
        """How many ordinary messages are answered or wait right now."""
        self._inside.set(count)

    def count_request(self, route: str, status: int) -> None:
        """Count a response. ``route`` is a path as it is declared, never as it was asked for."""
        self._requests.labels(route, str(status)).inc()

    def count_refusal(self, why: str) -> None:
        """Count a message that was not answered, by its type of error."""
        self._refused.labels(why).inc()

    def count_failure(self, store: str) -> None:
        """Count a call that ``store`` (``memory``, ``redis``) did not answer."""
        self._failures.labels(store).inc()

    def count(self, reply: Reply, seconds: float) -> None:
        """Count one reply."""
        self._replies.labels(reply.decision.level.value, reply.source).inc()
        self._seconds.labels(reply.source).observe(seconds)
        for category in reply.decision.categories:
            self._categories.labels(category.value).inc()
        for candidate in reply.candidates:
            for rule in candidate.rejected:
                self._rejected.labels(rule).inc()

    def watch(self, health: Callable[[], tuple[ModelHealth, ...]]) -> None:
        """Tell as well how the model's servers are."""
        self._models = ModelCollector(health)
        self._registry.register(self._models)

    def count_feedback(self, source: str, verdict: str) -> None:
        """Count what a person thought of a reply; both words come from closed lists."""
        self._feedback.labels(source, verdict).inc()

    def text(self) -> bytes:
        """Prometheus' text format; of all workers together where there are several."""
        return generate_latest(self.registry())

    def registry(self) -> CollectorRegistry:
        """All there is to collect, of all workers together where there are several."""
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            together = CollectorRegistry()
            MultiProcessCollector(together)  # type: ignore[no-untyped-call]
            if self._models:  # a worker's own
                together.register(self._models)
            return together
        return self._registry
