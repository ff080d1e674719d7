"""What can be asked over HTTP."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response, StreamingResponse

from smallhours.domain.messages import Conversation
from smallhours.serve.assistant import Assistant, Reply
from smallhours.serve.gateway.metrics import Metrics
from smallhours.serve.gateway.schemas import (
    ChatRequest,
    chunk,
    completion,
    error,
    smallhours_fields,
)

# A comment now and then tells client and proxies that a slow model is still at work.
KEEP_ALIVE_SECONDS = 10.0


def build_router(assistant: Assistant, metrics: Metrics, model_name: str, max_messages: int) -> APIRouter:
    """The routes around one assistant."""
    router = APIRouter()

    @router.post("/v1/chat/completions", response_model=None)
    def chat(body: ChatRequest) -> Response:
        """Answer a conversation; a crisis answer is an ordinary 200."""
        if len(body.messages) > max_messages:
            return JSONResponse(error(f"more than {max_messages} messages", "invalid_request_error"), 422)
        try:
            conversation = body.conversation()
        except ValueError:
            return JSONResponse(error("no message with role 'user'", "invalid_request_error"), 422)
        request_id, created = f"chatcmpl-{uuid.uuid4().hex}", int(time.time())
        name = body.model or model_name
        if body.stream:
            return StreamingResponse(
                _events(assistant, metrics, conversation, request_id, created, name),
                media_type="text/event-stream",
            )
        reply = _measured(assistant, metrics, conversation)
        return JSONResponse(completion(reply, request_id, created, name))

    @router.get("/v1/models")
    def models() -> dict[str, Any]:
        """The one model there is, in OpenAI's shape."""
        return {"object": "list", "data": [{"id": model_name, "object": "model", "owned_by": "smallhours"}]}

    _add_health(router, assistant, metrics)

    return router


def _add_health(router: APIRouter, assistant: Assistant, metrics: Metrics) -> None:
    """What an operator's machines ask."""

    @router.get("/livez")
    def livez() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @router.get("/readyz")
    def readyz() -> JSONResponse:
        """The model answers. The crisis path does so without it."""
        ready = assistant.model_answers()
        return JSONResponse(
            {"status": "ok" if ready else "model unavailable", "crisis_path": "ok"}, 200 if ready else 503
        )

    @router.get("/metrics")
    def metrics_page() -> Response:
        """Counts and times in Prometheus' text format; never any text of a person."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")


def _measured(assistant: Assistant, metrics: Metrics, conversation: Conversation) -> Reply:
    started = time.perf_counter()
    reply = assistant.reply(conversation)
    metrics.count(reply, time.perf_counter() - started)
    return reply


def _events(
    assistant: Assistant,
    metrics: Metrics,
    conversation: Conversation,
    request_id: str,
    created: int,
    name: str,
) -> Iterator[str]:
    """Server-sent events: what surrounds the reply first, then one screened sentence after another."""

    def event(data: dict[str, Any]) -> str:
        return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"

    with ThreadPoolExecutor(max_workers=1) as worker:
        pending = worker.submit(_measured, assistant, metrics, conversation)
        while not pending.done():
            yield ": working\n\n"
            wait([pending], timeout=KEEP_ALIVE_SECONDS)
        reply = pending.result()
    first = chunk(request_id, created, name, {"role": "assistant", "content": ""}, None)
    yield event({**first, "smallhours": smallhours_fields(reply)})
    for part in reply.parts:
        yield event(chunk(request_id, created, name, {"content": part}, None))
    yield event(chunk(request_id, created, name, {}, "stop"))
    yield "data: [DONE]\n\n"
