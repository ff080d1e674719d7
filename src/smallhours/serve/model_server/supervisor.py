"""Keeps the process that holds the model alive, and knows at every moment whether it answers.

    stopped ─▶ starting ─▶ ready ⇄ unresponsive
                  ▲          │           │
                  └─ waiting ◀───────────┘        (died, or silent for too long: with back-off)

A death is seen at once, because the pipe to the process closes; a process that hangs or was stopped is seen
when it misses a probe. Either ends every answer under way, so nobody waits for a model that is not there.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.errors import EngineError
from smallhours.llm.engines.llama_server import LlamaOptions
from smallhours.serve.model_server.process import COMMAND, EndedError, ModelProcess

Name = Literal["stopped", "starting", "ready", "unresponsive", "waiting"]


@dataclass(frozen=True)
class State:
    """What the model server is doing. ``reason`` is why it last went down, ``restarts`` how often."""

    name: Name
    restarts: int = 0
    reason: str = ""
    pid: int | None = None


@dataclass(frozen=True)
class Timings:
    """Seconds. Asked every ``probe``, it has ``patience`` to answer; silent for ``missing``, it counts as
    unresponsive; silent for ``hopeless``, it is ended. ``loading`` is how long the weights may take.

    Back-off goes from ``first_wait``, doubled each time, to ``longest_wait``; a process that was well for
    ``settled`` starts it over. ``farewell`` is how long it may take to end.
    """

    probe: float = 0.2
    patience: float = 0.4
    missing: float = 0.6
    hopeless: float = 6.0
    loading: float = 300.0
    first_wait: float = 0.2
    longest_wait: float = 30.0
    settled: float = 60.0
    farewell: float = 2.0


class Supervisor:
    """One model server. :meth:`start` returns at once; a thread sees to the rest until :meth:`stop`.

    The thread lives as long as its process: the kernel ends a child with the *thread* that made it.
    """

    def __init__(
        self, options: LlamaOptions, timings: Timings | None = None, command: Sequence[str] = COMMAND
    ) -> None:
        self._options = replace(options, key=options.key or secrets.token_urlsafe(24))
        self._timings, self._command = timings or Timings(), command
        self._changed = threading.Condition()
        self._state = State("stopped")
        self._url = ""
        self._refusal: str | None = None
        self._stopping = threading.Event()
        self._suspected = False
        self._lives: set[Cancellation] = set()
        self._thread = threading.Thread(target=self._supervise, name="model-supervisor", daemon=True)

    @property
    def state(self) -> State:
        """As of now."""
        return self._state

    @property
    def in_flight(self) -> int:
        """Answers under way."""
        return len(self._lives)

    @property
    def url(self) -> str:
        """Where the model listens; it changes with a restart."""
        return self._url

    @property
    def key(self) -> str:
        """What the model asks of its clients, so that nobody else on this machine uses it."""
        return self._options.key

    def start(self) -> None:
        """Begin; the model is there when :meth:`wait` returns."""
        self._set(State("starting"))
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether the model is there, as soon as it is, or after so many seconds.

        Raises:
            EngineError: llama.cpp refuses the weights.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._state.name == "ready" or self._refusal, timeout=seconds)
            if self._refusal:
                raise EngineError(self._refusal)
            return self._state.name == "ready"

    def stop(self) -> None:
        """End the process and wait for that."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self._timings.farewell + self._timings.missing + 1)

    def suspect(self) -> None:
        """Somebody waited for a token in vain: see whether the model's loop still turns."""
        self._suspected = True

    def goes_down(self, seconds: float) -> bool:
        """Whether the model is not there any more, or is seen to go within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._state.name != "ready", timeout=seconds)

    @contextmanager
    def lifeline(self, cancel: Cancellation | None) -> Iterator[Cancellation]:
        """A cancellation for one answer, called as well when the model goes down.

        Raises:
            EngineError: the model is not there.
        """
        life = Cancellation()
        with self._changed:
            if self._state.name != "ready":
                raise EngineError(f"the model server is {self._state.name}: {self._state.reason}")
            self._lives.add(life)
        try:
            with cancel.stops(life.cancel) if cancel else ExitStack():
                yield life
        finally:
            with self._changed:
                self._lives.discard(life)

    def _supervise(self) -> None:
        wait = self._timings.first_wait
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._live()
            except EndedError as error:
                self._refuse(error)
                self._set(State("waiting", self._state.restarts + 1, str(error)))
            if time.monotonic() - began > self._timings.settled:
                wait = self._timings.first_wait
            if not self._stopping.wait(wait):
                self._set(replace(self._state, name="starting"))
            wait = min(2 * wait, self._timings.longest_wait)
        self._set(replace(self._state, name="stopped", pid=None))

    def _refuse(self, error: EndedError) -> None:
        """Weights that never could be loaded will not be tomorrow."""
        if error.refused and not self._url:
            self._refusal = str(error)
            self._stopping.set()

    def _live(self) -> None:
        """One process, from its beginning until we stop; raises EndedError where it ends before."""
        with ModelProcess(self._options, self._timings.farewell, self._command) as process:
            loaded_by = time.monotonic() + self._timings.loading
            while not (url := process.ready(self._timings.probe)):
                if self._stopping.is_set():
                    return
                if time.monotonic() > loaded_by:
                    raise EndedError(f"the model was not loaded after {self._timings.loading:g} s")
            self._url, self._suspected = url, False
            well = replace(self._state, name="ready", pid=process.pid)
            self._set(well)
            seen = time.monotonic()
            while not self._stopping.is_set():
                process.pause(self._timings.probe)
                if process.answers(self._timings.patience) and not self._is_stuck(process):
                    seen = time.monotonic()
                silent = time.monotonic() - seen
                if silent > self._timings.hopeless:
                    raise EndedError(f"the model's process was silent for {silent:.0f} s")
                missing = silent > self._timings.missing
                self._set(replace(well, name="unresponsive" if missing else "ready"))

    def _is_stuck(self, process: ModelProcess) -> bool:
        """Whether a loop that somebody waited for in vain does not turn."""
        if self._suspected:
            self._suspected = not process.answers(self._timings.hopeless, "/metrics")
        return self._suspected

    def _set(self, state: State) -> None:
        with self._changed:
            lives = list(self._lives) if state.name != "ready" else []
            self._state = state
            self._changed.notify_all()
        for life in lives:
            life.cancel()
