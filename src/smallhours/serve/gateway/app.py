"""The gateway: one FastAPI app around one assistant."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from smallhours import __version__
from smallhours.domain.settings import ServeSettings
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.feedback import build_feedback_router
from smallhours.serve.gateway.guards import BodyLimit, SecurityHeaders
from smallhours.serve.gateway.metrics import Metrics
from smallhours.serve.gateway.page import build_page_router, static_version
from smallhours.serve.gateway.routes import build_router
from smallhours.serve.gateway.schemas import error

HERE = Path(__file__).parent


def create_app(assistant: Assistant, settings: ServeSettings, model_name: str) -> FastAPI:
    """The page, the API and the health checks."""
    app = FastAPI(title="Smallhours", version=__version__, docs_url=None, redoc_url=None)
    templates = Jinja2Templates(HERE / "templates")
    metrics = Metrics()
    app.include_router(build_router(assistant, metrics, model_name, settings.max_messages))
    app.include_router(build_feedback_router(metrics))
    app.include_router(build_page_router(assistant, templates, settings, model_name))
    app.mount(f"/static/{static_version()}", StaticFiles(directory=HERE / "static"), name="static")
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(SecurityHeaders)
    # The page carries every helpline, so that they are there without a network: a third of the size this way.
    app.add_middleware(GZipMiddleware, minimum_size=1000)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, problem: RequestValidationError) -> JSONResponse:
        where = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in problem.errors())
        return JSONResponse(error(where, "invalid_request_error"), 422)

    @app.exception_handler(Exception)
    async def broken(request: Request, problem: Exception) -> JSONResponse:
        return JSONResponse(
            error("something broke on our side; the helplines still answer", "server_error"), 500
        )

    return app
