"""Counts for the operator. Labels come from closed lists, so no text of a person can get in."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from smallhours.serve.assistant import Reply


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
        self._feedback = Counter(
            "smallhours_feedback",
            "Ratings and reports of replies",
            ["source", "verdict"],
            registry=self._registry,
        )

    def count(self, reply: Reply, seconds: float) -> None:
        """Count one reply."""
        self._replies.labels(reply.decision.level.value, reply.source).inc()
        self._seconds.labels(reply.source).observe(seconds)
        for candidate in reply.candidates:
            for rule in candidate.rejected:
                self._rejected.labels(rule).inc()

    def count_feedback(self, source: str, verdict: str) -> None:
        """Count what a person thought of a reply; both words come from closed lists."""
        self._feedback.labels(source, verdict).inc()

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)
