"""Engines for the same model, asked as one: least loaded first, another where one fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.errors import (
    EngineCancelledError,
    EngineError,
    EngineTimeoutError,
    InputError,
    SettingsError,
)
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Completion, Engine, ModelHealth, ModelIdentity, ModelState, Sampling
from smallhours.serve.upstreams.breaker import Breaker, BreakerState

_STATES: dict[BreakerState, ModelState] = {"closed": "ready", "open": "resting", "trying": "trying"}


class Upstream:
    """One server. ``verify`` says, before the first question, whether it serves what it should.

    ``verify`` raises InputError where it does not, and EngineError where it cannot be reached.
    """

    def __init__(
        self, name: str, engine: Engine, verify: Callable[[], None], breaker: Breaker | None = None
    ) -> None:
        self.name, self.engine, self.breaker = name, engine, breaker or Breaker()
        self.in_flight = 0
        self._verify = verify
        self._verified = False
        self._reason = ""
        self._lock = threading.Lock()

    def verify(self) -> None:
        """Once successful, it is not asked again. Raises InputError, EngineError."""
        if not self._verified:
            self._verify()
            self._verified = True

    @contextmanager
    def used(self) -> Iterator[Engine]:
        """The engine, for one call that was counted; the breaker hears how it went. Raises EngineError."""
        try:
            try:
                self.verify()
            except InputError as error:
                raise EngineError(str(error)) from error
            yield self.engine
        except (EngineCancelledError, GeneratorExit):
            self.breaker.called_off()
            raise
        except BaseException as error:
            self._reason = str(error) if isinstance(error, EngineError) else type(error).__name__
            self.breaker.failed()
            raise
        else:
            self._reason = ""
            self.breaker.succeeded()
        finally:
            with self._lock:
                self.in_flight -= 1

    def health(self) -> ModelHealth:
        """For metrics."""
        state = _STATES[self.breaker.state]
        return ModelHealth(
            name=self.name,
            state=state,
            answers=state == "ready",
            in_flight=self.in_flight,
            reason=self._reason,
        )


class UpstreamPool:
    """An engine over several upstreams, which serve the same weights.

    A call that fails goes to the next upstream, unless pieces of its answer are out, or it has taken so long
    that nobody would wait for another.
    """

    def __init__(self, upstreams: Sequence[Upstream], identity: ModelIdentity) -> None:
        self.identity = identity
        self._upstreams = tuple(upstreams)
        self._lock = threading.Lock()
        self._turns = 0

    def check(self) -> list[str]:
        """Ask every upstream whether it serves the model; a line for each that cannot be reached now.

        Raises:
            SettingsError: with a line for each that serves something else.
        """

        def one(upstream: Upstream) -> tuple[str, str]:
            try:
                upstream.verify()
            except InputError as error:
                return "wrong", str(error)
            except EngineError as error:
                return "away", str(error)
            return "fine", ""

        with ThreadPoolExecutor(len(self._upstreams)) as pool:
            found = list(pool.map(one, self._upstreams))
        if wrong := [told for kind, told in found if kind == "wrong"]:
            raise SettingsError(wrong)
        return [told for kind, told in found if kind == "away"]

    def complete(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Completion:
        """The whole answer. Raises EngineError where no upstream gives one."""
        last: EngineError | None = None
        for upstream in self._in_turn():
            try:
                with upstream.used() as engine:
                    return engine.complete(conversation, sampling, cancel)
            except EngineError as error:
                last = _unless_final(error)
        raise _nobody(last)

    def stream(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Iterator[str]:
        """The answer in pieces; closing the iterator ends the generation. Raises EngineError."""
        last: EngineError | None = None
        for upstream in self._in_turn():
            begun = False
            try:
                with upstream.used() as engine:
                    for piece in engine.stream(conversation, sampling, cancel):
                        begun = True
                        yield piece
                return
            except EngineError as error:
                last = _unless_final(error)
                if begun:
                    raise
        raise _nobody(last)

    def health(self) -> tuple[ModelHealth, ...]:
        """Of every upstream."""
        return tuple(upstream.health() for upstream in self._upstreams)

    def close(self) -> None:
        """Close every connection."""
        for upstream in self._upstreams:
            upstream.engine.close()

    def _in_turn(self) -> Iterator[Upstream]:
        """Those that may be asked, each reserved as it is given out: the least loaded first."""
        untried = list(self._upstreams)
        while untried:
            with self._lock:
                self._turns += 1
                # Of equals not always the same one.
                order = untried[self._turns % len(untried) :] + untried[: self._turns % len(untried)]
                chosen = min(order, key=lambda one: one.in_flight)
                untried.remove(chosen)
                if not chosen.breaker.lets_through():
                    continue
                chosen.in_flight += 1
            yield chosen


def _unless_final(error: EngineError) -> EngineError:
    """The error, if another upstream may still be asked."""
    if isinstance(error, (EngineCancelledError, EngineTimeoutError)):
        raise error
    return error


def _nobody(last: EngineError | None) -> EngineError:
    return last or EngineError("no model server answers; each is left alone for a while after it failed")
