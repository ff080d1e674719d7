"""What people think of a reply: counts by closed lists, so that nothing they wrote is kept."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from smallhours.domain.memory import Fault
from smallhours.serve.assistant import Source
from smallhours.serve.gateway.metrics import Metrics

Verdict = Literal["helpful", "not_helpful", "worse"]


class Feedback(BaseModel):
    """A rating, or a report of a fault, of a reply from ``source``. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")

    source: Source
    verdict: Verdict | Fault


def build_feedback_router(metrics: Metrics) -> APIRouter:
    """``POST /v1/feedback``."""
    router = APIRouter()

    @router.post("/v1/feedback", status_code=204)
    def feedback(body: Feedback) -> Response:
        """Count one rating or report."""
        metrics.count_feedback(body.source, body.verdict)
        return Response(status_code=204)

    return router
