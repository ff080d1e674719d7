"""An engine that says what it was told to: for tests, demonstrations and dry runs."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.errors import EngineCancelledError, EngineError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Completion, ModelIdentity, Sampling

Script = Callable[[Conversation, int], str | Exception]


class ScriptedEngine:
    """Answers from a list, round and round, or from a function of conversation and call number.

    An entry that is an exception is raised as :class:`EngineError`. ``calls`` counts what was asked.
    """

    def __init__(self, script: Sequence[str | Exception] | Script, identity: str = "scripted") -> None:
        self._script = script
        self._lock = threading.Lock()
        self.calls = 0
        self.conversations: list[Conversation] = []
        self.identity = ModelIdentity(base=identity)

    def complete(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Completion:
        """The next answer, cut to ``max_tokens`` words."""
        if cancel is not None and cancel.cancelled:
            raise EngineCancelledError("nobody waits for this answer any more")
        with self._lock:
            call = self.calls
            self.calls += 1
            self.conversations.append(conversation)
        line = (
            self._script(conversation, call)
            if callable(self._script)
            else self._script[call % len(self._script)]
        )
        if isinstance(line, Exception):
            raise EngineError(f"scripted failure: {line}") from line
        words = line.split(" ")
        cut = words[: sampling.max_tokens]
        return Completion(
            text=" ".join(cut), tokens=len(cut), finish="stop" if len(cut) == len(words) else "length"
        )

    def stream(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Iterator[str]:
        """The next answer word by word."""
        yield from re.findall(r"\S+\s*", self.complete(conversation, sampling, cancel).text)

    def close(self) -> None:
        """Nothing to free."""
