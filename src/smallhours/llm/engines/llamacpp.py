"""llama.cpp through the ``xllamacpp`` package: in this process, or asked over HTTP in another.

The prompt is rendered by :mod:`smallhours.llm.chat_format`, never by the template in the file.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.errors import EngineCancelledError, EngineError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Completion, ModelIdentity, Sampling
from smallhours.llm.chat_format import ChatFormat
from smallhours.llm.engines.llama_server import LlamaOptions, open_server

# Tokens: a sequence may repeat up to this length, within this many tokens.
DRY_ALLOWED_LENGTH, DRY_LOOKBACK = 3, 256


@dataclass(frozen=True)
class LlamaDialect:
    """llama.cpp's completions: the prompt as we render it, and its own repetition penalties."""

    form: ChatFormat
    system_prompt: str
    path: str = "/completions"

    def request(self, conversation: Conversation, sampling: Sampling) -> dict[str, Any]:
        """The body of a question."""
        return {
            "prompt": self.form.prompt(conversation, self.system_prompt),
            "n_predict": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "repeat_penalty": sampling.repetition,
            "dry_multiplier": sampling.dry,
            "dry_allowed_length": DRY_ALLOWED_LENGTH,
            "dry_penalty_last_n": DRY_LOOKBACK,
            "seed": sampling.seed,
            "stop": [self.form.end],
            "cache_prompt": True,
        }

    def text(self, choice: dict[str, Any]) -> str | None:
        """The text of a choice, whole or a piece."""
        said = choice.get("text")
        return None if said is None else str(said)


class LlamaCppEngine:
    """A GGUF base with an optional GGUF LoRA adapter, in this process.

    Raises:
        EngineError: if the weights cannot be loaded.
    """

    def __init__(
        self, options: LlamaOptions, chat_format: ChatFormat, system_prompt: str, identity: ModelIdentity
    ) -> None:
        self.identity = identity
        self._dialect = LlamaDialect(chat_format, system_prompt)
        self._server = open_server(options)

    def complete(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Completion:
        """The whole answer; ``cancel`` is seen before it begins."""
        if cancel is not None and cancel.cancelled:
            raise EngineCancelledError("nobody waits for this answer any more")
        try:
            answer = self._server.handle_completions(self._dialect.request(conversation, sampling))
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"llama.cpp did not answer: {error}") from error
        return _read_answer(answer)

    def stream(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Iterator[str]:
        """The answer in pieces; closing the iterator early stops the generation, and so does ``cancel``."""
        pieces: queue.Queue[dict[str, Any] | BaseException | None] = queue.Queue()
        stopped = threading.Event()

        def receive(chunk: dict[str, Any]) -> bool:
            pieces.put(chunk)
            return stopped.is_set()

        def work() -> None:
            try:
                self._server.handle_completions(request, receive)
            except (RuntimeError, ValueError) as error:
                pieces.put(error)
            finally:
                pieces.put(None)

        request = {**self._dialect.request(conversation, sampling), "stream": True}
        threading.Thread(target=work, daemon=True, name="llamacpp-stream").start()
        try:
            with (cancel or Cancellation()).stops(stopped.set):
                while (piece := pieces.get()) is not None:
                    if isinstance(piece, BaseException):
                        raise EngineError(f"llama.cpp stopped: {piece}") from piece
                    yield _first_choice(piece).get("text", "")
        finally:
            stopped.set()

    def close(self) -> None:
        """Free the model."""
        self._server = None


def _first_choice(answer: dict[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices")
    if not choices:
        raise EngineError(f"llama.cpp did not answer: {answer.get('error', answer)}")
    choice: dict[str, Any] = choices[0]
    return choice


def _read_answer(answer: dict[str, Any]) -> Completion:
    choice = _first_choice(answer)
    return Completion(
        text=choice["text"].strip(),
        tokens=int(answer.get("usage", {}).get("completion_tokens", 0)),
        finish="length" if choice.get("finish_reason") == "length" else "stop",
    )
