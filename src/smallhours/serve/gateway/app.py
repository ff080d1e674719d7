"""The gateway: one FastAPI app around one assistant."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException

from smallhours import __version__
from smallhours.domain.memory import Memory
from smallhours.domain.oversight import Oversight
from smallhours.domain.reviewing import ReviewRoom
from smallhours.domain.settings import GatewaySettings, MemorySettings, ServeSettings
from smallhours.semantics.vectors import Encoder, shared_vectors
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway import refusals
from smallhours.serve.gateway.answers import Answers
from smallhours.serve.gateway.api_keys import ApiKeys
from smallhours.serve.gateway.conversations import (
    Counter,
    build_conversation_router,
    build_memory_router,
)
from smallhours.serve.gateway.desk import Desk
from smallhours.serve.gateway.dialogue import Dialogue
from smallhours.serve.gateway.doors import Doors
from smallhours.serve.gateway.feedback import build_feedback_router
from smallhours.serve.gateway.guards import BodyLimit, HeadLimit, SecurityHeaders
from smallhours.serve.gateway.limits import LocalLimiter, RedisLimiter
from smallhours.serve.gateway.metrics import Metrics
from smallhours.serve.gateway.observe import Observed, Span
from smallhours.serve.gateway.operator.history import History
from smallhours.serve.gateway.operator.overview import Watched
from smallhours.serve.gateway.operator.page import OperatorPage
from smallhours.serve.gateway.operator.routes import build_operator_router
from smallhours.serve.gateway.operator.sessions import Sessions
from smallhours.serve.gateway.page import build_page_router, static_version
from smallhours.serve.gateway.reference import build_reference_router
from smallhours.serve.gateway.refusals import RefusalError
from smallhours.serve.gateway.rounds import Rounds
from smallhours.serve.gateway.routes import build_health_router, build_router
from smallhours.serve.gateway.schemas import Json, error
from smallhours.serve.memory.lazy import LazyMemory

HERE = Path(__file__).parent
MEMORY_PATHS = ("/v1/memory", "/v1/conversations")


@dataclass(frozen=True)
class Parts:
    """What an operator may add to a gateway; without any, it keeps nothing and knows nobody.

    ``purge`` is called every hour while the app runs: what was kept long enough goes. ``oversight`` finds
    what the operator's page shows of the memory, ``reviews`` are the pairs that reviewers sign there;
    ``session_secret`` signs its sessions, alike in all workers.
    """

    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    memory: MemorySettings = field(default_factory=lambda: MemorySettings(enabled=False))
    keys: ApiKeys = field(default_factory=lambda: ApiKeys(Path("keys.json")))
    open_memory: Callable[[], Memory] | None = None
    purge: Callable[[], Awaitable[int | None]] | None = None
    oversight: Callable[[], Oversight | None] | None = None
    reviews: ReviewRoom | None = None
    session_secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    encoder: Callable[[], Encoder] = shared_vectors
    span: Span | None = None


def create_app(
    assistant: Assistant,
    settings: ServeSettings,
    model_name: str,
    parts: Parts | None = None,
    notice: str = "",
) -> FastAPI:
    """The page, the API and the health checks; ``notice`` stands on top of the page, where there is one."""
    parts = parts or Parts()
    gateway, metrics = parts.gateway, Metrics()
    metrics.watch(assistant.health)
    desk = Desk(assistant, metrics, settings.parallel, gateway.queue, gateway.queue_seconds)
    doors = Doors(gateway, parts.keys, _limiter(gateway, metrics))
    answers = Answers(desk, doors)
    memory = _memory(parts, metrics)
    dialogue = memory and Dialogue(memory, desk, answers, parts.encoder, parts.memory.token_budget)
    history, rounds = History(metrics.registry), Rounds(parts.purge) if parts.purge else None
    watched = Watched(
        assistant, desk, doors, history, gateway, parts.memory, model_name, rounds, parts.oversight
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        hourly = [history.keep_hourly(), *([rounds.every_hour()] if rounds else [])]
        tasks = [asyncio.create_task(one) for one in hourly]
        yield
        for task in tasks:
            task.cancel()
        await watched.close()
        if dialogue:
            await dialogue.close()
        desk.close()

    app = FastAPI(title="Smallhours", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.include_router(build_router(answers, doors, model_name, settings.max_messages))
    app.include_router(build_health_router(desk, doors, metrics, lambda: _state(memory)))
    if memory and dialogue:
        app.include_router(build_memory_router(parts.memory))
        counter = Counter(memory, dialogue, answers, doors, model_name)
        app.include_router(build_conversation_router(counter))
    templates = Jinja2Templates(HERE / "templates")
    templates.env.globals["notice"] = notice
    app.include_router(build_reference_router(templates))
    app.include_router(build_feedback_router(metrics))
    sessions = Sessions(parts.keys, parts.session_secret, reviews=parts.reviews is not None)
    app.include_router(build_operator_router(OperatorPage(templates, sessions, watched, parts.reviews)))
    app.include_router(build_page_router(assistant, templates, settings, model_name))
    app.mount(f"/static/{static_version()}", StaticFiles(directory=HERE / "static"), name="static")
    _add_layers(app, settings, parts, metrics)
    _add_errors(app, metrics)
    return app


def _add_layers(app: FastAPI, settings: ServeSettings, parts: Parts, metrics: Metrics) -> None:
    """What every request goes through, the last added first."""
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes, seconds=parts.gateway.body_seconds)
    app.add_middleware(HeadLimit, limit=parts.gateway.max_header_bytes)
    app.add_middleware(SecurityHeaders)
    # The page carries every helpline, so that they are there without a network: a third of the size this way.
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(Observed, metrics=metrics, span=parts.span)


def _add_errors(app: FastAPI, metrics: Metrics) -> None:
    """Every error has OpenAI's shape, and none quotes what somebody wrote."""

    @app.exception_handler(RefusalError)
    async def refused(request: Request, refusal: RefusalError) -> JSONResponse:
        metrics.count_refusal(refusal.kind)
        headers = {"retry-after": str(refusal.retry_after)} if refusal.retry_after else {}
        if refusal.status == 401:
            headers["www-authenticate"] = "Bearer"
        return JSONResponse(error(refusal.message, refusal.kind), refusal.status, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, problem: RequestValidationError) -> JSONResponse:
        where = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in problem.errors())
        return Json(error(where, "invalid_request_error"), 422)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, problem: HTTPException) -> JSONResponse:
        if problem.status_code == 404 and request.url.path.startswith(MEMORY_PATHS):
            off = refusals.memory_off()
            return Json(error(off.message, off.kind), off.status)
        content = error(str(problem.detail), "invalid_request_error")
        return Json(content, problem.status_code, problem.headers)

    @app.exception_handler(Exception)
    async def broken(request: Request, problem: Exception) -> JSONResponse:
        return JSONResponse(
            error("something broke on our side; the helplines still answer", "server_error"), 500
        )


def _limiter(gateway: GatewaySettings, metrics: Metrics) -> LocalLimiter | RedisLimiter:
    if gateway.redis:
        return RedisLimiter(gateway.redis, lambda: metrics.count_failure("redis"))
    return LocalLimiter()


def _memory(parts: Parts, metrics: Metrics) -> LazyMemory | None:
    if not parts.memory.enabled or parts.open_memory is None:
        return None
    return LazyMemory(parts.open_memory, lambda: metrics.count_failure("memory"))


def _state(memory: LazyMemory | None) -> str:
    if memory is None:
        return "off"
    return "ok" if memory.available else "unavailable"
