"""llama.cpp in this process, through the ``xllamacpp`` package.

One server for one adapter: llama.cpp's prompt cache does not know which adapter filled it.
The prompt is rendered by :mod:`smallhours.llm.chat_format`, never by the template in the file.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smallhours.domain.errors import EngineError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Completion, ModelIdentity, Sampling
from smallhours.llm.chat_format import ChatFormat

_QUIET = -1
# Tokens: a sequence may repeat up to this length, within this many tokens.
DRY_ALLOWED_LENGTH, DRY_LOOKBACK = 3, 256


class LlamaCppEngine:
    """A GGUF base with an optional GGUF LoRA adapter.

    Args:
        context: tokens of prompt and answer together, for each of ``parallel`` generations.
        threads: CPU threads; 0 means all cores.

    Raises:
        EngineError: if the weights cannot be loaded.
    """

    def __init__(
        self,
        weights: Path,
        adapter: Path | None,
        chat_format: ChatFormat,
        system_prompt: str,
        identity: ModelIdentity,
        *,
        context: int = 2048,
        parallel: int = 4,
        threads: int = 0,
    ) -> None:
        self.identity = identity
        self._format = chat_format
        self._system_prompt = system_prompt
        self._context = context
        self._server = start_server(
            weights, adapter, context * parallel, parallel, threads or os.cpu_count() or 1
        )

    def complete(self, conversation: Conversation, sampling: Sampling) -> Completion:
        """The whole answer."""
        try:
            answer = self._server.handle_completions(self._request(conversation, sampling))
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"llama.cpp did not answer: {error}") from error
        return _read_answer(answer)

    def stream(self, conversation: Conversation, sampling: Sampling) -> Iterator[str]:
        """The answer in pieces; closing the iterator early stops the generation."""
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

        request = {**self._request(conversation, sampling), "stream": True}
        threading.Thread(target=work, daemon=True, name="llamacpp-stream").start()
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise EngineError(f"llama.cpp stopped: {piece}") from piece
                yield _first_choice(piece).get("text", "")
        finally:
            stopped.set()

    def close(self) -> None:
        """Free the model."""
        self._server = None

    def _request(self, conversation: Conversation, sampling: Sampling) -> dict[str, Any]:
        return {
            "prompt": self._format.prompt(conversation, self._system_prompt),
            "n_predict": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "dry_multiplier": sampling.dry,
            "dry_allowed_length": DRY_ALLOWED_LENGTH,
            "dry_penalty_last_n": DRY_LOOKBACK,
            "seed": sampling.seed,
            "stop": [self._format.end],
            "cache_prompt": True,
        }


def start_server(weights: Path, adapter: Path | None, context: int, parallel: int, threads: int) -> Any:
    """An ``xllamacpp.Server`` with these weights; ``context`` tokens are shared by ``parallel`` sequences.

    Raises:
        EngineError: if they cannot be loaded.
    """
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    if adapter is not None:
        lora = xllamacpp.CommonAdapterLoraInfo()
        lora.path, lora.scale = str(adapter), 1.0
        params.lora_adapters = [lora]
    params.n_ctx = context
    params.n_parallel = parallel
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.verbosity = _QUIET
    params.warmup = False
    params.ui = False
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise EngineError(f"{weights.name}: llama.cpp cannot load it: {error}") from error


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
