"""Counts for the operator. Labels come from closed lists, so no text of a person can get in."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from smallhours.domain.ports import ModelHealth
from smallhours.serve.assistant import Reply
from smallhours.serve.gateway.model_metrics import ModelCollector


class Metrics:
    """Replies by level and source, candidates stopped by rule, and seconds per reply."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._replies = Counter(
            "smallhours_replies", "Replies sent", ["level", "source"], registry=self._registry
        )
        self._rejected = Counter(
            "smallhours_candidates_rejected", "Candidates not sent", ["rule"], registry=self._registry
        )
        self._seconds = Histogram(
            "smallhours_reply_seconds", "Seconds from message to reply", ["source"], registry=self._registry
        )

    def count(self, reply: Reply, seconds: float) -> None:
        """Count one reply."""
        self._replies.labels(reply.decision.level.value, reply.source).inc()
        self._seconds.labels(reply.source).observe(seconds)
        for candidate in reply.candidates:
            for rule in candidate.rejected:
                self._rejected.labels(rule).inc()

    def watch(self, health: Callable[[], tuple[ModelHealth, ...]]) -> None:
        """Tell as well how the model's servers are."""
        self._registry.register(ModelCollector(health))

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)
