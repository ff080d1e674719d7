"""The conversation API as docs/api.md has it, in a dictionary: for the page's side of memory alone."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Body, Header, HTTPException, Response
from fastapi.responses import JSONResponse, StreamingResponse

NOW = "2026-11-24T02:10:00Z"
TERMS = "Smallhours can keep this conversation, encrypted, for 30 days. You can delete it at any time."


@dataclass
class Kept:
    """One conversation; ``replies`` are those already given, by idempotency key."""

    id: str
    token: str
    messages: list[dict[str, str]] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        said = [{**message, "created": NOW} for message in self.messages]
        return {"id": self.id, "locale": "en-US", "created": NOW, "expires": NOW, "messages": said}


class FakeMemory:
    """``stored = False`` is a memory that does not answer in time; ``up = False`` one that is gone."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.stored = self.up = True
        self.router = self._routes()

    def forget(self) -> None:
        self.kept.clear()
        self.stored = self.up = True

    def _of(self, name: str, token: str) -> Kept:
        if not self.up:
            raise HTTPException(503)
        if name not in self.kept or self.kept[name].token != token:
            raise HTTPException(404)
        return self.kept[name]

    def _routes(self) -> APIRouter:
        router = APIRouter()

        @router.get("/v1/memory")
        def offer() -> dict[str, Any]:
            return {"available": True, "retention_days": 30, "terms": TERMS}

        @router.post("/v1/conversations", status_code=201)
        def begin(consent: bool = Body(embed=True)) -> dict[str, str]:
            if not self.up:
                raise HTTPException(503)
            assert consent
            kept = Kept(secrets.token_hex(4), secrets.token_hex(8))
            self.kept[kept.id] = kept
            return {"id": kept.id, "token": kept.token, "locale": "en-US", "created": NOW, "expires": NOW}

        @router.post("/v1/conversations/{name}/messages")
        def say(
            name: str,
            body: dict[str, Any],
            smallhours_token: str = Header(),
            idempotency_key: str = Header(),
        ) -> Response:
            kept = self._of(name, smallhours_token)
            if idempotency_key not in kept.replies:
                text = kept.replies[idempotency_key] = f"I heard: {body['content']}"
                if self.stored:
                    kept.messages += [
                        {"role": "user", "content": body["content"]},
                        {"role": "assistant", "content": text},
                    ]
            return StreamingResponse(
                self._events(kept.replies[idempotency_key]), media_type="text/event-stream"
            )

        self._add_owned(router)
        return router

    def _add_owned(self, router: APIRouter) -> None:
        @router.get("/v1/conversations/{name}")
        def read(name: str, smallhours_token: str = Header()) -> dict[str, Any]:
            return self._of(name, smallhours_token).shown()

        @router.get("/v1/conversations/{name}/export")
        def export(name: str, smallhours_token: str = Header()) -> Response:
            return JSONResponse({**self._of(name, smallhours_token).shown(), "risk": "nothing found"})

        @router.post("/v1/conversations/{name}/report", status_code=204)
        def report(name: str, fault: str = Body(embed=True), smallhours_token: str = Header()) -> Response:
            self._of(name, smallhours_token).reported.append(fault)
            return Response(status_code=204)

        @router.delete("/v1/conversations/{name}", status_code=204)
        def delete(name: str, smallhours_token: str = Header()) -> Response:
            del self.kept[self._of(name, smallhours_token).id]
            return Response(status_code=204)

    def _events(self, text: str) -> Iterator[str]:
        about = {
            "level": "none", "action": "answer", "resources": [], "disclaimer": "An AI.",
            "source": "generated", "memory": {"stored": self.stored},
        }  # fmt: skip
        first = {"choices": [{"delta": {"role": "assistant", "content": ""}}], "smallhours": about}
        yield f"data: {json.dumps(first)}\n\n"
        yield f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n"
        yield "data: [DONE]\n\n"
