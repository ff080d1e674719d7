"""A model server without a model: ``python -m bench.serving.stand_in PORT [SECONDS]``.

Every answer is the same, in ten pieces, and takes half a second unless SECONDS says otherwise: sixteen at a
time are then more than any model writes on a CPU, and what the gateway adds is told from what a model takes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

SECONDS = 0.5
ANSWER = (
    "A long day can leave you tired and tense. Put the phone in another room, sit down for ten minutes, and "
    "write the first thing for tomorrow on a card."
)
_WORDS = [word + " " for word in ANSWER.split()]
_PIECES = ["".join(_WORDS[at : at + 3]) for at in range(0, len(_WORDS), 3)]


async def _pieces(seconds: float) -> AsyncIterator[str]:
    for piece in _PIECES:
        await asyncio.sleep(seconds / len(_PIECES))
        yield f"data: {json.dumps({'choices': [{'delta': {'content': piece}}]})}\n\n"
    yield 'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


def application(seconds: float = SECONDS) -> Starlette:
    """The server, whose answers take so many seconds."""

    async def chat(request: Request) -> StreamingResponse:
        await request.body()
        return StreamingResponse(_pieces(seconds), media_type="text/event-stream")

    def models(request: Request) -> JSONResponse:
        return JSONResponse({"data": [{"id": "m"}]})

    routes = [Route("/v1/chat/completions", chat, methods=["POST"]), Route("/v1/models", models)]
    return Starlette(routes=routes)


def main() -> None:
    """Serve until the parent ends us."""
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    with suppress(KeyboardInterrupt):
        uvicorn.run(application(seconds), port=int(sys.argv[1]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
