"""An answer on its way: worked on beside the request, sent whole or as server-sent events."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from fastapi.responses import Response, StreamingResponse
from starlette.requests import Request

from smallhours.serve.gateway.answers import Answer, Begin
from smallhours.serve.gateway.refusals import RefusalError
from smallhours.serve.gateway.schemas import Json, as_json, chunk, completion, error

# A comment now and then tells client and proxies that a slow model is still at work.
KEEP_ALIVE_SECONDS = 10.0
_CLIENT_CLOSED = 499  # what nginx calls it; nobody is there to read it


class Work:
    """An answer being made. ``lasting`` work goes on when the client has gone: something is stored in it."""

    def __init__(self, make: Callable[[Begin], Awaitable[Answer]], *, lasting: bool) -> None:
        loop = asyncio.get_running_loop()
        self._begun: asyncio.Future[None] = loop.create_future()
        self.task: asyncio.Future[Answer] = asyncio.ensure_future(make(self._begin))
        self.task.add_done_callback(_noticed)
        self._lasting = lasting

    def _begin(self) -> None:
        if not self._begun.done():
            self._begun.set_result(None)

    async def begun(self) -> None:
        """Return when nothing can refuse it any more. Raises RefusalError if something did."""
        either: set[asyncio.Future[Any]] = {self.task, self._begun}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self.task.done():
            self.task.result()

    async def done(self) -> None:
        """Return when the answer is there. Raises RefusalError."""
        await asyncio.wait({self.task})
        self.task.result()

    def give_up(self) -> None:
        """Nobody waits any more."""
        if not self._lasting:
            self.task.cancel()


async def respond(request: Request, work: Work, model: str, *, stream: bool) -> Response:
    """The response to a request for an answer. Raises RefusalError before anything is sent."""
    request_id, created = f"chatcmpl-{uuid.uuid4().hex}", int(time.time())
    gone = asyncio.ensure_future(_gone(request))
    try:
        begun = asyncio.ensure_future(work.begun() if stream else work.done())
        await asyncio.wait({begun, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not begun.done():
            begun.cancel()
            work.give_up()
            return Response(status_code=_CLIENT_CLOSED)
        begun.result()
    except asyncio.CancelledError:
        work.give_up()
        raise
    finally:
        gone.cancel()
    if stream:
        sent = _events(work, request_id, created, model)
        return StreamingResponse(sent, media_type="text/event-stream")
    answer = work.task.result()
    return Json(completion(answer.content, answer.about, request_id, created, model))


async def _events(work: Work, request_id: str, created: int, model: str) -> AsyncIterator[bytes]:
    """What surrounds the reply first, then one screened sentence after another."""
    try:
        while not work.task.done():
            yield b": working\n\n"
            await asyncio.wait({work.task}, timeout=KEEP_ALIVE_SECONDS)
    finally:
        work.give_up()
    try:
        answer = work.task.result()
    except RefusalError as refusal:
        yield _event(error(refusal.message, refusal.kind))
        return
    except Exception:  # noqa: BLE001 - the response has begun: only the stream can say that it broke
        yield _event(error("something broke on our side; the helplines still answer", "server_error"))
        return
    first = chunk(request_id, created, model, {"role": "assistant", "content": ""}, None)
    yield _event({**first, "smallhours": answer.about})
    for part in answer.parts:
        yield _event(chunk(request_id, created, model, {"content": part}, None))
    yield _event(chunk(request_id, created, model, {}, "stop"))
    yield b"data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + as_json(data) + b"\n\n"


async def _gone(request: Request) -> None:
    """Return when the client hangs up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _noticed(task: asyncio.Future[Answer]) -> None:
    """Take note of an error that nobody may be left to hear, so that asyncio prints no text of it."""
    with suppress(asyncio.CancelledError):
        task.exception()
