"""What is written down about a request: its number, a line in the log, a span. Never what somebody wrote.

The log's fields are a closed list of types that cannot hold text of a person: :class:`Line` is all there is.
"""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smallhours.serve.gateway.metrics import Metrics

LOGGER = logging.getLogger("smallhours.access")
# A caller's own number is believed only in a form that says nothing.
_NUMBER = re.compile(r"^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$")
OTHER = "other"

Span = Callable[[str], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Line:
    """One request, for the log. A new field needs a type that no words of a person fit in."""

    request: str
    method: str
    route: str
    status: int
    milliseconds: float


class Observed:
    """Gives each request a number, counts it, and logs it."""

    def __init__(self, app: ASGIApp, metrics: Metrics, span: Span | None = None) -> None:
        self._app = app
        self._metrics = metrics
        self._span = span or (lambda _: nullcontext())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number, started, status = _number(scope), time.perf_counter(), 499

        async def numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", number.encode())]
            await send(message)

        try:
            with self._span(_method(scope)) as span:
                await self._app(scope, receive, numbered)
                if span is not None:
                    span.update_name(f"{_method(scope)} {_route(scope)}")
                    span.set_attribute("http.route", _route(scope))
                    span.set_attribute("http.response.status_code", status)
        finally:
            self._metrics.count_request(_route(scope), status)
            spent = round(1000 * (time.perf_counter() - started), 1)
            line = Line(number, _method(scope), _route(scope), status, spent)
            LOGGER.info("request", extra={"line": line})


def _number(scope: Scope) -> str:
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1").lower()
    return given if _NUMBER.match(given) else uuid.uuid4().hex


def _route(scope: Scope) -> str:
    """The path as it is declared; the path that was asked for may hold anything."""
    return str(getattr(scope.get("route"), "path", None) or OTHER)


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "DELETE", "OPTIONS") else OTHER


class JsonLines(logging.Formatter):
    """One JSON object a line, with fields from a closed list. Of an error: its type and where, not its words,
    since an exception may quote whatever it stumbled over.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        line = getattr(record, "line", None)
        if isinstance(line, Line):
            fields |= asdict(line)
        elif record.name.startswith("uvicorn") and not record.args and not record.exc_info:
            fields["message"] = record.msg  # its own fixed sentences
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])[-8:]
            fields["error"] = record.exc_info[0].__name__
            fields["where"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
        return json.dumps(fields)


def log_json(stream: Any = None) -> None:
    """Send the access log, and what uvicorn says of errors, to ``stream`` (stderr) as JSON lines."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    for name, level in (("smallhours.access", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


class Wordless(logging.Filter):
    """For plain logs: an error's type and place stay, its words go."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the exception, then let the record pass."""
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])[-8:]
            where = " < ".join(f"{f.filename.rpartition('/')[2]}:{f.lineno}" for f in reversed(frames))
            record.msg, record.args = f"{record.exc_info[0].__name__} at {where}", None
            record.exc_info = None
        return True
