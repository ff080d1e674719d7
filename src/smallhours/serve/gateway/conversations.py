"""Remembered conversations over HTTP; docs/api.md describes the calls."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import JSONResponse, Response

from smallhours.domain.errors import MissingError, RefusedError, StoreError
from smallhours.domain.memory import Memory, Remembered
from smallhours.domain.messages import Conversation, Message
from smallhours.domain.settings import MemorySettings
from smallhours.serve.gateway import refusals
from smallhours.serve.gateway.answers import Answers, visit
from smallhours.serve.gateway.dialogue import Dialogue, Said
from smallhours.serve.gateway.doors import Doors
from smallhours.serve.gateway.refusals import RefusalError
from smallhours.serve.gateway.routes import IdempotencyKey
from smallhours.serve.gateway.schemas import (
    Consent,
    Json,
    NewFact,
    NewMessage,
    NewReport,
    error,
    fact_fields,
    remembered_fields,
    when,
)
from smallhours.serve.gateway.streaming import Work, respond

T = TypeVar("T")
Token = Annotated[str, Header(alias="Smallhours-Token", max_length=200)]
Name = Annotated[str, Path(max_length=64)]
FactNumber = Annotated[int, Path(ge=0, lt=2**31)]
_LAST_RECENT = 40

TERMS = (
    "Smallhours can keep this conversation for {days} days after your last message, so that you can come "
    "back to it. It is stored encrypted. The people who run this service can open it only with a reason, "
    "and every time is written down. You can see, download and delete it here at any moment; deleting "
    "destroys its key at once."
)


def build_memory_router(settings: MemorySettings) -> APIRouter:
    """What is offered; where nothing is, the path is not there."""
    router = APIRouter()

    @router.get("/v1/memory")
    def offered() -> dict[str, Any]:
        """For how long a conversation can be kept, and what to tell the person first."""
        days = settings.retention_days
        return {"available": True, "retention_days": days, "terms": TERMS.format(days=days)}

    return router


@dataclass(frozen=True)
class Counter:
    """What the calls below work with."""

    memory: Memory
    dialogue: Dialogue
    answers: Answers
    doors: Doors
    model_name: str

    async def owned(self, request: Request, name: str, token: str) -> Remembered:
        """The conversation, for who holds its token. Raises RefusalError."""
        who = self.doors.who(request, "conversations")
        if isinstance(who, RefusalError):
            raise who
        remembered = await stored(self.memory.read(name, token))
        if remembered is None:
            raise refusals.not_found()
        return remembered


def build_conversation_router(counter: Counter) -> APIRouter:
    """All calls about one remembered conversation."""
    router = APIRouter(prefix="/v1/conversations")
    _add_talk(router, counter)
    _add_owned(router, counter)
    _add_facts(router, counter)
    return router


def _add_talk(router: APIRouter, counter: Counter) -> None:
    """Begin, and say something."""

    @router.post("", status_code=201)
    async def begin(body: Consent, request: Request) -> JSONResponse:
        """Begin to remember; only with the person's consent."""
        (await visit(counter.doors, counter.doors.who(request, "conversations"), 0)).require()
        if not body.consent:
            message = "a conversation is kept only if the person agrees: send consent: true"
            raise RefusalError(422, "consent_required", message)
        begun = await stored(counter.memory.begin(body.locale))
        times = {"created": when(begun.created), "expires": when(begun.expires)}
        return JSONResponse({"id": begun.id, "token": begun.token, "locale": begun.locale, **times}, 201)

    @router.post("/{name}/messages", response_model=None)
    async def say(
        name: Name,
        body: NewMessage,
        request: Request,
        smallhours_token: Token = "",
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Say something. The reply has the shape of a chat completion; a crisis answer is an ordinary 200."""
        guest = await visit(counter.doors, counter.doors.who(request, "conversations"), len(body.content))
        recent = tuple(Message.model_validate(m.model_dump()) for m in body.recent[-_LAST_RECENT:])
        said = Said(name, smallhours_token, body.content, body.locale, recent, idempotency_key)
        work = Work(lambda begin: counter.dialogue.say(said, guest, begin), lasting=True)
        return await respond(request, work, counter.model_name, stream=body.stream)


def _add_owned(router: APIRouter, counter: Counter) -> None:
    """See, take along, report, delete."""

    @router.get("/{name}")
    async def read(name: Name, request: Request, smallhours_token: Token = "") -> JSONResponse:
        """What is kept, as its owner sees it."""
        return Json(remembered_fields(await counter.owned(request, name, smallhours_token)))

    @router.get("/{name}/export")
    async def export(name: Name, request: Request, smallhours_token: Token = "") -> Response:
        """Everything that is stored, as a file."""
        remembered = await counter.owned(request, name, smallhours_token)
        seen = {"message", "rule", "category", "level"}
        risk = [f.model_dump(mode="json", include=seen) for f in remembered.risk]
        headers = {"content-disposition": 'attachment; filename="smallhours-conversation.json"'}
        return Json({**remembered_fields(remembered), "risk": risk}, headers=headers)

    @router.post("/{name}/report", status_code=204)
    async def report(name: Name, body: NewReport, request: Request, smallhours_token: Token = "") -> Response:
        """Ask the people who run this service to look into it; from now on they may, with a reason."""
        await counter.owned(request, name, smallhours_token)
        await stored(counter.memory.report(name, body.fault))
        return Response(status_code=204)

    @router.delete("/{name}", status_code=204)
    async def forget(name: Name, request: Request, smallhours_token: Token = "") -> Response:
        """Delete everything, the key first."""
        await counter.owned(request, name, smallhours_token)
        await stored(counter.memory.forget(name))
        return Response(status_code=204)


def _add_facts(router: APIRouter, counter: Counter) -> None:
    """What the person asks to be remembered."""

    @router.post("/{name}/facts", status_code=201)
    async def note(name: Name, body: NewFact, request: Request, smallhours_token: Token = "") -> JSONResponse:
        """Keep a fact; words of danger get people to call instead."""
        guest = await visit(counter.doors, counter.doors.who(request, "conversations"), len(body.text))
        urgent, _ = await counter.answers.urgent(Conversation.of(body.text, body.locale), guest)
        if urgent is not None:
            refused = error(urgent.content, "crisis") | {"smallhours": urgent.about}
            return Json(refused, 422)
        guest.require()
        await counter.owned(request, name, smallhours_token)
        return Json(fact_fields(await stored(counter.memory.note(name, body.text))), 201)

    @router.delete("/{name}/facts/{fact}", status_code=204)
    async def drop(name: Name, fact: FactNumber, request: Request, smallhours_token: Token = "") -> Response:
        """Forget a fact."""
        await counter.owned(request, name, smallhours_token)
        if not await stored(counter.memory.drop(name, fact)):
            raise RefusalError(404, "not_found", "no such fact")
        return Response(status_code=204)


async def stored(call: Awaitable[T]) -> T:
    """What the memory says. Raises RefusalError in its place."""
    try:
        return await call
    except StoreError:
        raise refusals.memory_unavailable() from None
    except MissingError:
        raise refusals.not_found() from None
    except RefusedError as refused:
        raise refusals.invalid(str(refused)) from None
