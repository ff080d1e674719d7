"""What can be asked over HTTP without being remembered: OpenAI's calls, and health."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response

from smallhours.serve.gateway import refusals
from smallhours.serve.gateway.answers import Answer, Answers, Begin, visit
from smallhours.serve.gateway.desk import Desk
from smallhours.serve.gateway.doors import Doors
from smallhours.serve.gateway.metrics import Metrics
from smallhours.serve.gateway.once import Once
from smallhours.serve.gateway.refusals import RefusalError
from smallhours.serve.gateway.schemas import ChatRequest
from smallhours.serve.gateway.streaming import Work, respond

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]


def build_router(answers: Answers, doors: Doors, model_name: str, max_messages: int) -> APIRouter:
    """Chat completions and the list of models."""
    router = APIRouter()
    once: Once[Answer] = Once()

    @router.post("/v1/chat/completions", response_model=None)
    async def chat(body: ChatRequest, request: Request, idempotency_key: IdempotencyKey = None) -> Response:
        """Answer a conversation; a crisis answer is an ordinary 200."""
        if len(body.messages) > max_messages:
            raise refusals.invalid(f"more than {max_messages} messages")
        try:
            conversation = body.conversation()
        except ValueError:
            raise refusals.invalid("no message with role 'user'") from None
        guest = await visit(doors, doors.who(request, "chat"), sum(len(m.content) for m in body.messages))

        async def make(begin: Begin) -> Answer:
            if idempotency_key is None or guest.caller is None:
                return await answers.answer(conversation, guest, begin)
            same = hashlib.sha256(await request.body()).digest()
            return await once.do(
                guest.caller.name, idempotency_key, same, lambda: answers.answer(conversation, guest, begin)
            )

        work = Work(make, lasting=idempotency_key is not None)
        return await respond(request, work, body.model or model_name, stream=body.stream)

    @router.get("/v1/models")
    def models() -> dict[str, Any]:
        """The one model there is, in OpenAI's shape."""
        return {"object": "list", "data": [{"id": model_name, "object": "model", "owned_by": "smallhours"}]}

    return router


def build_health_router(
    desk: Desk, doors: Doors, metrics: Metrics, memory_state: Callable[[], str]
) -> APIRouter:
    """What an operator's machines ask."""
    router = APIRouter()

    @router.get("/livez")
    def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """The model produces a token. The crisis path does without it, and the chat without the memory."""
        ready = await desk.ready()
        state = {"status": "ok" if ready else "model unavailable", "crisis_path": "ok"}
        return JSONResponse({**state, "memory": memory_state()}, 200 if ready else 503)

    @router.get("/metrics")
    def metrics_page(request: Request) -> Response:
        """Counts and times in Prometheus' text format; never any text of a person."""
        who = doors.who(request, "metrics")
        if isinstance(who, RefusalError):
            raise who
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return router
