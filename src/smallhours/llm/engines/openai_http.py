"""A model behind an OpenAI-compatible endpoint: vLLM, SGLang, TGI, Ollama, llama-server, or a hosted one.

Of the standard it needs ``POST <url>/chat/completions`` and, to say at the start that a model is missing,
``GET <url>/models``. Which weights answer is the server's word: nobody here can hash them. Messages of errors
repeat nothing that was sent or received.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import EngineError, EngineTimeoutError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Completion, ModelIdentity, Sampling
from smallhours.llm.engines.wire import Exchange, Patience, WireError, ask

_SUCCESS = 200
_BUSY = (429, 500, 502, 503, 504)
_REMEDIES = {
    401: "the key is missing or wrong",
    403: "the key does not allow this",
    404: "check the URL (most end with /v1) and the name of the model",
    429: "it asks to be asked less often; try again later",
}


class Dialect(Protocol):
    """How a server wants to be asked, and where the text is in what it says."""

    @property
    def path(self) -> str:
        """Where questions go, below the URL."""
        ...

    def request(self, conversation: Conversation, sampling: Sampling) -> dict[str, Any]:
        """The body of a question."""
        ...

    def text(self, choice: dict[str, Any]) -> str | None:
        """The text of a choice, whole or a piece."""
        ...


@dataclass(frozen=True)
class ChatDialect:
    """Chat completions: the server renders the turns with the template that came with its model.

    With a ``schema`` the server is asked for structured output: a reply that is JSON of that JSON schema.
    """

    model: str
    system_prompt: str = ""
    schema: Mapping[str, Any] | None = None
    path: str = "/chat/completions"

    def request(self, conversation: Conversation, sampling: Sampling) -> dict[str, Any]:
        """The turns, ours first. Only what is in OpenAI's standard, unless a setting asks for more."""
        system = [{"role": "system", "content": self.system_prompt}] if self.system_prompt else []
        turns = [{"role": m.role.value, "content": m.content} for m in conversation.without_system().messages]
        asked = {
            "model": self.model,
            "messages": system + turns,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
        }
        if self.schema is not None:
            form = {"name": "reply", "strict": True, "schema": self.schema}
            asked["response_format"] = {"type": "json_schema", "json_schema": form}
        return asked if sampling.repetition == 1 else {**asked, "repetition_penalty": sampling.repetition}

    def text(self, choice: dict[str, Any]) -> str | None:
        """Under ``message`` in a whole answer, under ``delta`` in a piece."""
        said = (choice["message"] if "message" in choice else choice.get("delta") or {}).get("content")
        return None if said is None else str(said)


class OpenAiHttpEngine:
    """A model on a server that speaks OpenAI's completions.

    Answers are streamed, so that a silent server is told from a slow one. Where no connection is to be had or
    the server is busy, :meth:`complete` tries ``tries`` times.

    Args:
        key: sent as a bearer token and kept nowhere else.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        key: str | None = None,
        system_prompt: str = "",
        dialect: Dialect | None = None,
        identity: ModelIdentity | None = None,
        patience: Patience | None = None,
        tries: int = 2,
    ) -> None:
        self.identity = identity or ModelIdentity(base=endpoint.name)
        self._endpoint, self._tries = endpoint, tries
        self._dialect = dialect or ChatDialect(endpoint.model, system_prompt)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._patience = patience or Patience()

    def complete(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Completion:
        """The whole answer. Raises EngineError."""
        for left in reversed(range(self._tries)):
            try:
                with self._asked(conversation, sampling, cancel) as exchange:
                    if left and exchange.status in _BUSY:
                        continue
                    return self._whole(exchange)
            except WireError as error:
                if not left or error.trouble == "silent":
                    self._raise(error)
        raise AssertionError("the last try returns or raises")

    def stream(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Iterator[str]:
        """The answer in pieces; closing the iterator early hangs up. Raises EngineError."""
        try:
            with self._asked(conversation, sampling, cancel) as exchange:
                self._require_success(exchange.status)
                for piece, _, _ in self._events(exchange):
                    if piece:
                        yield piece
        except WireError as error:
            self._raise(error)

    def models(self) -> list[dict[str, Any]] | None:
        """What the server says it serves, each with its ``id``; ``None`` where it keeps no list.

        Raises:
            EngineError: it does not answer, or not in JSON.
        """
        try:
            with ask("GET", self._url("/models"), self._patience, headers=self._headers) as exchange:
                if exchange.status in (404, 405):
                    return None
                self._require_success(exchange.status)
                listed = self._parsed(exchange.text()).get("data")
        except WireError as error:
            self._raise(error)
        if not isinstance(listed, list):
            return None
        return [one for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]

    def close(self) -> None:
        """Nothing to free: every answer has a connection of its own."""

    def _url(self, path: str) -> str:
        return self._endpoint.url.rstrip("/") + path

    @contextmanager
    def _asked(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None
    ) -> Iterator[Exchange]:
        request = {**self._dialect.request(conversation, sampling), "stream": True}
        body = json.dumps(request).encode()
        url, patience = self._url(self._dialect.path), self._patience
        with ask("POST", url, patience, body=body, headers=self._headers, cancel=cancel) as exchange:
            yield exchange

    def _whole(self, exchange: Exchange) -> Completion:
        self._require_success(exchange.status)
        if exchange.is_events:
            text, finish, tokens, counted = "", "stop", 0, 0
            for piece, ended, usage in self._events(exchange):
                text, tokens, counted = text + piece, tokens + bool(piece), usage or counted
                finish = ended or finish
        else:
            answer = self._parsed(exchange.text())
            try:
                text, finish = (
                    str(self._said(answer["choices"][0])),
                    answer["choices"][0].get("finish_reason"),
                )
                tokens, counted = 0, _completion_tokens(answer)
            except (AttributeError, IndexError, KeyError, TypeError, ValueError):
                raise self._error("its answer has no text where one belongs") from None
        ended_by = "length" if finish == "length" else "stop"
        return Completion.model_validate(
            {"text": text.strip(), "tokens": counted or tokens, "finish": ended_by}
        )

    def _said(self, choice: dict[str, Any]) -> str:
        text = self._dialect.text(choice)
        if text is None:
            raise ValueError("no text")
        return text

    def _events(self, exchange: Exchange) -> Iterator[tuple[str, str, int]]:
        """Piece, how the answer ended, tokens counted (each empty where an event does not say)."""
        finished = False
        for line in exchange.lines():
            field, _, data = line.partition(":")
            if field != "data":
                continue
            if data.strip() == "[DONE]":
                return
            event = self._parsed(data)
            try:
                for choice in event["choices"][:1]:  # a last event may count tokens and have none
                    piece, ended = self._dialect.text(choice) or "", choice.get("finish_reason") or ""
                    finished = finished or bool(ended)
                    if piece:
                        exchange.progressed()
                    yield piece, str(ended), _completion_tokens(event)
                if not event["choices"]:
                    yield "", "", _completion_tokens(event)
            except (AttributeError, KeyError, TypeError, ValueError):
                raise self._error("it sent an event that is no part of an answer") from None
        if not finished:
            raise self._error("it hung up before the answer was whole")

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self._error("it does not answer in JSON as OpenAI's API does; check the URL")
        return found

    def _require_success(self, status: int) -> None:
        if status != _SUCCESS:
            raise self._error(f"HTTP {status}: {_REMEDIES.get(status, 'look into the log of the server')}")

    def _raise(self, error: WireError) -> NoReturn:
        if error.trouble == "silent":
            raise EngineTimeoutError(f"{self._endpoint.name}: {error}") from None
        raise self._error(str(error)) from None

    def _error(self, what: str) -> EngineError:
        return EngineError(f"{self._endpoint.name}: {what}")


def _completion_tokens(answer: dict[str, Any]) -> int:
    return int((answer.get("usage") or {}).get("completion_tokens") or 0)
