"""Plain ASGI layers around the app: limits on bodies, and headers that keep the page to itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smallhours.serve.gateway.schemas import error

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
# What somebody wrote at night must not lie in a cache in the morning. Scripts and styles may, for good:
# their address changes with their content.
NOTHING_KEPT, KEPT = b"no-store", b"public, max-age=31536000, immutable"


class SecurityHeaders:
    """Adds :data:`SECURITY_HEADERS` to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and dress the response."""

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = message["status"] == 200 and scope["path"].startswith("/static/")
                ours = [(k.encode(), v.encode()) for k, v in SECURITY_HEADERS.items()]
                message["headers"] = [
                    *message["headers"],
                    *ours,
                    (b"cache-control", KEPT if found else NOTHING_KEPT),
                ]
            await send(message)

        await self._app(scope, receive, dressed if scope["type"] == "http" else send)


class HeadLimit:
    """Answers 431 to a head with more than ``limit`` bytes of headers."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count, then pass the request on."""
        size = sum(len(name) + len(value) for name, value in scope.get("headers", ()))
        if (
            scope["type"] == "http"
            and size + len(scope["raw_path"]) + len(scope["query_string"]) > self._limit
        ):
            message = f"the headers are larger than {self._limit} bytes"
            await _refuse(send, 431, error(message, "too_large"))
            return
        await self._app(scope, receive, send)


class BodyLimit:
    """Answers 413 to a body of more than ``limit`` bytes, declared or counted, without reading it all.

    One that is not there after ``seconds`` gets a 408.
    """

    def __init__(self, app: ASGIApp, limit: int, seconds: float = 20.0) -> None:
        self._app = app
        self._limit = limit
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body up to the limit, then hand it on."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._read(scope, receive)
        except _TooLargeError:
            message = f"the body is larger than {self._limit} bytes"
            await _refuse(send, 413, error(message, "too_large"))
            return
        except TimeoutError:
            message = f"the body was not there after {self._seconds:g} seconds"
            await _refuse(send, 408, error(message, "timeout"))
            return
        if body is None:
            return
        handed = False

        async def replay() -> Message:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body; None if the client hung up."""
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit:
            raise _TooLargeError
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._limit:
                raise _TooLargeError
        return bytes(body)


class _TooLargeError(Exception):
    pass


async def _refuse(send: Send, status: int, content: dict[str, Any]) -> None:
    """The connection is closed afterwards: the rest of the body is never read."""
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
