"""A model server without a model: ``python -m bench.serving_stand_in PORT``.

Every answer is the same, in ten pieces, and takes a tenth of a second: what the gateway adds can then be told
from what a model takes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

SECONDS = 0.1
ANSWER = (
    "A long day can leave you tired and tense. Put the phone in another room, sit down for ten minutes, and "
    "write the first thing for tomorrow on a card."
)
_WORDS = [word + " " for word in ANSWER.split()]
_PIECES = ["".join(_WORDS[at : at + 3]) for at in range(0, len(_WORDS), 3)]


async def _pieces() -> AsyncIterator[str]:
    for piece in _PIECES:
        await asyncio.sleep(SECONDS / len(_PIECES))
        yield f"data: {json.dumps({'choices': [{'delta': {'content': piece}}]})}\n\n"
    yield 'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


async def chat(request: Request) -> StreamingResponse:
    """The answer, whatever was asked."""
    await request.body()
    return StreamingResponse(_pieces(), media_type="text/event-stream")


def models(request: Request) -> JSONResponse:
    """The one model there is not."""
    return JSONResponse({"data": [{"id": "m"}]})


ROUTES = [Route("/v1/chat/completions", chat, methods=["POST"]), Route("/v1/models", models)]

if __name__ == "__main__":
    uvicorn.run(Starlette(routes=ROUTES), port=int(sys.argv[1]), log_level="warning", access_log=False)
