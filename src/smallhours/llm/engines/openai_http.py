"""A model behind an OpenAI-compatible endpoint: vLLM, Ollama, llama-server, or a hosted one.

Of the standard it needs ``POST <url>/chat/completions``, streamed and not. Which weights answer is the
server's word: nobody here can hash them. Messages of errors repeat nothing that was sent or received.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import EngineError, SettingsError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Completion, ModelIdentity, Sampling

if TYPE_CHECKING:
    import httpx

CONNECTING = 5.0  # seconds
_SUCCESS = 200
_BUSY = (429, 500, 502, 503, 504)
_REMEDIES = {
    401: "the key is missing or wrong",
    403: "the key does not allow this",
    404: "check the URL (most end with /v1) and the name of the model",
    429: "it asks to be asked less often; try again later",
}


class OpenAiHttpEngine:
    """A model on a server that speaks OpenAI's chat completions.

    Where no connection is to be had or the server is busy, :meth:`complete` tries once more.

    Args:
        key: sent as a bearer token and kept nowhere else.
        timeout: seconds that the server may be silent.

    Raises:
        SettingsError: if the package httpx is not installed.
    """

    def __init__(
        self, endpoint: Endpoint, *, key: str | None = None, system_prompt: str = "", timeout: float = 120.0
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise SettingsError(
                f"{endpoint.name}: endpoints need the package httpx; install it with: pip install httpx"
            ) from None
        self.identity = ModelIdentity(base=endpoint.name)
        self._endpoint, self._system_prompt = endpoint, system_prompt
        self._url = f"{endpoint.url.rstrip('/')}/chat/completions"
        self._timeout = timeout
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout, connect=CONNECTING),
        )

    def complete(self, conversation: Conversation, sampling: Sampling) -> Completion:
        """The whole answer. Raises EngineError."""
        answer = self._parsed(self._send(self._request(conversation, sampling)).text)
        try:
            choice = answer["choices"][0]
            text = choice["message"]["content"].strip()
            tokens = int((answer.get("usage") or {}).get("completion_tokens") or 0)
            finish = choice.get("finish_reason")
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise self._error("its answer has no text where one belongs") from None
        return Completion(text=text, tokens=tokens, finish="length" if finish == "length" else "stop")

    def stream(self, conversation: Conversation, sampling: Sampling) -> Iterator[str]:
        """The answer in pieces; closing the iterator early hangs up. Raises EngineError."""
        import httpx

        request = {**self._request(conversation, sampling), "stream": True}
        try:
            with self._client.stream("POST", self._url, json=request) as response:
                self._require_success(response.status_code)
                yield from self._pieces(_lines(response.iter_text()))
        except httpx.HTTPError as error:
            raise self._explained(error) from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(self, conversation: Conversation, sampling: Sampling) -> dict[str, Any]:
        system = [{"role": "system", "content": self._system_prompt}] if self._system_prompt else []
        turns = [{"role": m.role.value, "content": m.content} for m in conversation.without_system().messages]
        return {
            "model": self._endpoint.model,
            "messages": system + turns,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
        }

    def _send(self, request: dict[str, Any]) -> httpx.Response:
        import httpx

        for is_last in (False, True):
            try:
                response = self._client.post(self._url, json=request)
            except httpx.HTTPError as error:
                if is_last or isinstance(error, httpx.ReadTimeout):
                    raise self._explained(error) from None
                continue
            if is_last or response.status_code not in _BUSY:
                break
        self._require_success(response.status_code)
        return response

    def _pieces(self, lines: Iterator[str]) -> Iterator[str]:
        """The texts in server-sent events, up to the one that says it is done."""
        finished = False
        for line in lines:
            field, _, data = line.partition(":")
            if field != "data":
                continue
            if data.strip() == "[DONE]":
                return
            event = self._parsed(data)
            try:
                for choice in event["choices"][:1]:  # a last event may count tokens and have none
                    finished = finished or bool(choice.get("finish_reason"))
                    if piece := (choice.get("delta") or {}).get("content"):
                        yield str(piece)
            except (AttributeError, KeyError, TypeError):
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

    def _explained(self, error: httpx.HTTPError) -> EngineError:
        """The kind of the error in plain words: httpx's own may quote a header, and the key with it."""
        import httpx

        if isinstance(error, httpx.ReadTimeout):
            return self._error(f"silent for {self._timeout:g} s")
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            return self._error("no connection; is it running, and is the URL right?")
        return self._error(f"it hung up ({type(error).__name__})")

    def _error(self, what: str) -> EngineError:
        return EngineError(f"{self._endpoint.name}: {what}")


def _lines(chunks: Iterator[str]) -> Iterator[str]:
    """Lines that end in a line feed. httpx's own also end at marks such as U+2028, which JSON may hold."""
    rest = ""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split("\n")
        yield from whole
    yield rest
