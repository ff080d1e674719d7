"""Several servers as one: least loaded first, another where one fails, none asked that does not answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import EngineCancelledError, EngineError, EngineTimeoutError, SettingsError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Engine, ModelIdentity, Sampling, Watched
from smallhours.llm.engines.openai_http import OpenAiHttpEngine
from smallhours.llm.engines.scripted import ScriptedEngine
from smallhours.llm.engines.wire import Patience
from smallhours.serve.upstreams.pool import Upstream, UpstreamPool
from tests.unit.fake_endpoint import (
    Behaviour,
    FakeEndpoint,
    drips,
    endpoint,
    hangs_up,
    is_slow,
    notes_silence,
    says,
    sends,
    streams,
)

TALK, SAMPLING, WHO = Conversation.of("i cant sleep"), Sampling(), ModelIdentity(base="b", adapter="a")


@contextmanager
def pool_of(*servers: Behaviour) -> Iterator[tuple[UpstreamPool, list[FakeEndpoint]]]:
    """One real HTTP server per behaviour."""
    with ExitStack() as stack:
        fakes = [stack.enter_context(endpoint(server)) for server in servers]
        patience = Patience(connect=1, first=0.3, idle=0.3, total=5)
        engines = [OpenAiHttpEngine(Endpoint(f.url, "m"), patience=patience, tries=1) for f in fakes]
        upstreams = [Upstream(f"u{n}", engine, lambda: None) for n, engine in enumerate(engines)]
        yield UpstreamPool(upstreams, WHO), fakes


def asked(fakes: list[FakeEndpoint]) -> list[int]:
    return [len(fake.requests) for fake in fakes]


def test_it_is_an_engine_that_knows_how_its_servers_are() -> None:
    with pool_of(says("Rest.")) as (pool, _):
        assert isinstance(pool, Engine) and isinstance(pool, Watched)
        assert pool.complete(TALK, SAMPLING).text == "Rest."
        assert [(h.name, h.state, h.answers) for h in pool.health()] == [("u0", "ready", True)]


def test_work_is_shared_and_a_busy_server_is_spared() -> None:
    with pool_of(says("Rest."), says("Rest.")) as (pool, fakes):
        for _ in range(10):
            pool.complete(TALK, SAMPLING)
        assert asked(fakes) == [5, 5]
    with pool_of(drips(), drips()) as (pool, fakes):
        first, second = pool.stream(TALK, SAMPLING), pool.stream(TALK, SAMPLING)
        assert next(first) == next(second) == "word " and asked(fakes) == [1, 1]
        first.close()  # type: ignore[attr-defined]
        for _ in range(3):
            next(idle := pool.stream(TALK, SAMPLING))
            idle.close()  # type: ignore[attr-defined]
        assert sorted(asked(fakes)) == [1, 4]


@pytest.mark.parametrize(
    "trouble",
    [sends(500), hangs_up, sends(200, "<html>"), streams("Re", done=False)],
    ids=["an error", "hangs up", "no JSON", "breaks off"],
)
def test_where_one_fails_the_next_answers_and_after_three_times_it_is_left_alone(trouble: Behaviour) -> None:
    with pool_of(trouble, says("Rest.")) as (pool, fakes):
        for _ in range(12):
            assert pool.complete(TALK, SAMPLING).text == "Rest."
        assert len(fakes[0].requests) == 3
        assert [h.state for h in pool.health()] == ["resting", "ready"]


def test_nobody_answers_is_said_at_once_when_all_rest() -> None:
    with pool_of(sends(500)) as (pool, fakes):
        for _ in range(3):
            with pytest.raises(EngineError, match="HTTP 500"):
                pool.complete(TALK, SAMPLING)
        with pytest.raises(EngineError, match="no model server answers"):
            pool.complete(TALK, SAMPLING)
        assert len(fakes[0].requests) == 3


def test_who_waited_in_vain_for_one_does_not_wait_for_another() -> None:
    with pool_of(is_slow, is_slow) as (pool, fakes):
        with pytest.raises(EngineTimeoutError):
            pool.complete(TALK, SAMPLING)
        assert sum(asked(fakes)) == 1


def test_a_stream_that_breaks_goes_on_elsewhere_only_before_its_first_piece() -> None:
    with pool_of(hangs_up, streams("Rest", ".")) as (pool, _):
        assert [list(pool.stream(TALK, SAMPLING)) for _ in range(2)] == [["Rest", "."]] * 2
    with pool_of(streams("Re", done=False)) as (pool, _):
        pieces = pool.stream(TALK, SAMPLING)
        assert next(pieces) == "Re"
        with pytest.raises(EngineError, match="hung up"):
            next(pieces)


@pytest.mark.parametrize("behaviour", [drips(), notes_silence], ids=["mid-stream", "before the first token"])
def test_a_call_that_is_called_off_ends_at_the_server_and_counts_against_nobody(behaviour: Behaviour) -> None:
    with pool_of(behaviour) as (pool, fakes):
        for _ in range(4):
            cancel = Cancellation()
            fakes[0].started.clear()
            threading.Thread(target=lambda c=cancel: fakes[0].started.wait(0.2) and c.cancel()).start()
            with pytest.raises(EngineCancelledError):
                pool.complete(TALK, SAMPLING, cancel)
        assert fakes[0].hung_up.wait(2)
        (health,) = pool.health()
        assert (health.state, health.in_flight) == ("ready", 0)


class TestTheCheckAtTheStart:
    def upstream(self, verify: Callable[[], None]) -> tuple[UpstreamPool, ScriptedEngine]:
        engine = ScriptedEngine(["Rest."])
        return UpstreamPool([Upstream("u", engine, verify)], WHO), engine

    def test_another_models_words_are_never_asked_for(self) -> None:
        def wrong() -> None:
            raise SettingsError("it serves another run's adapter")

        pool, engine = self.upstream(wrong)
        with pytest.raises(SettingsError, match="another run's"):
            pool.check()
        with pytest.raises(EngineError, match="another run's"):
            pool.complete(TALK, SAMPLING)
        assert engine.calls == 0

    def test_a_server_that_is_not_there_yet_is_checked_when_it_is(self) -> None:
        tries: list[int] = []

        def later() -> None:
            tries.append(1)
            if len(tries) < 3:
                raise EngineError("no connection")

        pool, engine = self.upstream(later)
        assert pool.check() == ["no connection"]
        with pytest.raises(EngineError):
            pool.complete(TALK, SAMPLING)
        assert [pool.complete(TALK, SAMPLING).text for _ in range(2)] == ["Rest."] * 2
        assert len(tries) == 3 and engine.calls == 2
