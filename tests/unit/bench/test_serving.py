"""The stand-in is a server that the gateway can be measured over, and the load says what it should."""

from __future__ import annotations

import threading

import pytest
from starlette.applications import Starlette

from bench import serving, serving_stand_in
from smallhours.domain.cancellation import Cancellation
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Sampling
from smallhours.llm.engines.openai_http import OpenAiHttpEngine
from tests.e2e.serving import serving as served


def test_the_stand_in_answers_as_a_model_server_does() -> None:
    with served(Starlette(routes=serving_stand_in.ROUTES)) as url:
        engine = OpenAiHttpEngine(Endpoint(f"{url}/v1", "m"))
        found = engine.complete(Conversation.of("i cant sleep"), Sampling(), Cancellation())
        assert found.text == serving_stand_in.ANSWER and found.finish == "stop"
        assert [one["id"] for one in engine.models() or []] == ["m"]


def test_the_load_keeps_as_many_under_way_as_it_says() -> None:
    lock, now, most = threading.Lock(), 0, 0
    together = threading.Barrier(4, timeout=10)

    def call(number: int) -> float:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait()
        with lock:
            now -= 1
        return float(-number)

    assert serving.load(call, 4, 8) == [float(-n) for n in reversed(range(8))]
    assert most == 4


@pytest.mark.parametrize(("count", "at"), [(1, 0), (20, 18), (100, 94)])
def test_p95_is_of_the_values_themselves(count: int, at: int) -> None:
    assert serving.p95([float(n) for n in range(count)]) == at
