"""The shapes at the HTTP edge: OpenAI's chat completions, and what Smallhours adds."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from smallhours.domain.memory import Fact, Fault, Remembered
from smallhours.domain.messages import Conversation, Message
from smallhours.domain.risk import Resource
from smallhours.serve.assistant import Reply

LOCALE = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$"


def _whole(text: str) -> str:
    """Half of a surrogate pair, where a client cut an emoji in two, becomes the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


Text = Annotated[str, AfterValidator(_whole)]


class ChatMessage(BaseModel):
    """One turn as clients send it; other keys of OpenAI's format are accepted and not used."""

    model_config = ConfigDict(extra="ignore")

    role: str = Field(pattern="^(system|user|assistant)$")
    content: Text


class ChatRequest(BaseModel):
    """``POST /v1/chat/completions``. Sampling parameters are accepted, not used: the operator sets them."""

    model_config = ConfigDict(extra="ignore")

    messages: list[ChatMessage] = Field(min_length=1)
    model: Text | None = None
    stream: bool = False
    locale: str = Field("en", pattern=LOCALE)

    def conversation(self) -> Conversation:
        """Raises ValueError if nobody has said anything."""
        turns = tuple(Message.model_validate(m.model_dump()) for m in self.messages)
        return Conversation(messages=turns, locale=self.locale).without_system()


class Consent(BaseModel):
    """``POST /v1/conversations``."""

    model_config = ConfigDict(extra="ignore")

    consent: bool = False
    locale: str = Field("en", pattern=LOCALE, max_length=35)


class NewMessage(BaseModel):
    """``POST /v1/conversations/{id}/messages``."""

    model_config = ConfigDict(extra="ignore")

    content: Text = Field(min_length=1)
    stream: bool = False
    locale: str | None = Field(None, pattern=LOCALE, max_length=35)
    recent: list[ChatMessage] = []


class NewReport(BaseModel):
    """``POST /v1/conversations/{id}/report``. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")

    fault: Fault


class NewFact(BaseModel):
    """``POST /v1/conversations/{id}/facts``."""

    model_config = ConfigDict(extra="ignore")

    text: Text = Field(min_length=1, max_length=300)
    locale: str = Field("en", pattern=LOCALE, max_length=35)


def remembered_fields(remembered: Remembered) -> dict[str, Any]:
    """A remembered conversation as its owner sees it."""
    messages = []
    for exchange in remembered.exchanges:
        messages.append({"role": "user", "content": exchange.content, "created": when(exchange.created)})
        if exchange.reply:
            reply = exchange.reply
            messages.append({"role": "assistant", "content": reply.content, "created": when(reply.created)})
    return {
        "id": remembered.id,
        "locale": remembered.locale,
        "created": when(remembered.created),
        "expires": when(remembered.expires),
        "messages": messages,
        "facts": [fact_fields(fact) for fact in remembered.facts],
        "summary": " ".join(remembered.summary),
    }


def fact_fields(fact: Fact) -> dict[str, Any]:
    """A fact as its owner sees it."""
    return {"id": fact.id, "text": fact.text, "created": when(fact.created)}


def as_json(data: object) -> bytes:
    """UTF-8, whatever the text is."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class Json(JSONResponse):
    """A response that may hold what a person wrote."""

    def render(self, content: object) -> bytes:
        """The body."""
        return as_json(content)


def when(moment: datetime) -> str:
    """A time in ISO 8601, UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def resource_fields(resource: Resource) -> dict[str, Any]:
    """A resource as clients see it."""
    shown = resource.model_dump(
        by_alias=True,
        include={"name", "for_", "kind", "tel", "sms", "sms_text", "url", "hours", "languages"},
    )
    return shown | {"chat": resource.chat_url}


def smallhours_fields(reply: Reply) -> dict[str, Any]:
    """What every reply carries beside its text."""
    identity = reply.identity
    return {
        "level": reply.decision.level.value,
        "action": reply.decision.action.value,
        "resources": [resource_fields(r) for r in reply.resources],
        "disclaimer": reply.disclaimer,
        "source": reply.source,
        "model": identity.model_dump() if identity else None,
    }


def completion(
    content: str, about: dict[str, Any], request_id: str, created: int, model: str
) -> dict[str, Any]:
    """A whole answer in OpenAI's shape."""
    return {
        "id": request_id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
        ],
        "smallhours": about,
    }


def chunk(
    request_id: str, created: int, model: str, delta: dict[str, str], finish: str | None
) -> dict[str, Any]:
    """One piece of a streamed answer."""
    return {
        "id": request_id,
        "object": "chat.completion.chunk",
        "created": created,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def error(message: str, kind: str) -> dict[str, Any]:
    """An error in OpenAI's shape."""
    return {"error": {"message": message, "type": kind}}
