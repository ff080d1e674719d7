"""The supervised model server as an engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import EngineCancelledError, EngineError, EngineTimeoutError, ReplyError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Completion, ModelHealth, ModelIdentity, Sampling
from smallhours.llm.chat_format import ChatFormat
from smallhours.llm.engines.llamacpp import LlamaDialect
from smallhours.llm.engines.openai_http import OpenAiHttpEngine
from smallhours.llm.engines.wire import Patience
from smallhours.serve.model_server.supervisor import Supervisor

NOTICED = 0.5  # seconds in which the end of the process is seen


class ModelServerEngine:
    """Asks the model in its own process; says at once when it is not there.

    ``identity`` is known, not told by the server: the files it loads are hashed.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        form: ChatFormat,
        system_prompt: str,
        identity: ModelIdentity,
        patience: Patience | None = None,
    ) -> None:
        self.identity = identity
        self._supervisor = supervisor
        self._dialect = LlamaDialect(form, system_prompt)
        self._patience = replace(patience or Patience(), connect=1.0)

    def complete(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Completion:
        """The whole answer. Raises EngineError."""
        with self._alive(cancel) as (engine, life):
            return engine.complete(conversation, sampling, life)

    def stream(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Iterator[str]:
        """The answer in pieces; closing the iterator ends the generation. Raises EngineError."""
        with self._alive(cancel) as (engine, life):
            yield from engine.stream(conversation, sampling, life)

    def health(self) -> tuple[ModelHealth, ...]:
        """Of the one process."""
        state = self._supervisor.state
        return (
            ModelHealth(
                name="model server",
                state=state.name,
                answers=state.name == "ready",
                in_flight=self._supervisor.in_flight,
                restarts=state.restarts,
                reason=state.reason,
            ),
        )

    def close(self) -> None:
        """End the model's process."""
        self._supervisor.stop()

    @contextmanager
    def _alive(self, cancel: Cancellation | None) -> Iterator[tuple[OpenAiHttpEngine, Cancellation]]:
        with self._supervisor.lifeline(cancel) as life:
            try:
                yield self._client(), life
            except EngineTimeoutError:
                self._supervisor.suspect()
                raise
            except ReplyError:
                raise
            except EngineCancelledError:
                if cancel is not None and cancel.cancelled:
                    raise
                raise self._down() from None
            except EngineError:
                # A connection breaks a moment before the end of the process is seen.
                if self._supervisor.goes_down(NOTICED):
                    raise self._down() from None
                raise

    def _down(self) -> EngineError:
        return EngineError(f"the model server went down: {self._supervisor.state.reason}")

    def _client(self) -> OpenAiHttpEngine:
        """Of the present process: the next one has another address."""
        return OpenAiHttpEngine(
            Endpoint(f"{self._supervisor.url}/v1", "the model server"),
            key=self._supervisor.key,
            dialect=self._dialect,
            identity=self.identity,
            patience=self._patience,
            tries=1,
        )
