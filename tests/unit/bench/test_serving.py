"""The stand-in is a server that the gateway can be measured over, and the load says what it should."""

from __future__ import annotations

import threading
import time

import pytest

from bench.serving import stand_in
from bench.serving.crowd import ANSWERED, REFUSED, Crowd, kind_of
from bench.serving.load import Answered, answered, ask, cry, load, p95, question
from smallhours.domain.cancellation import Cancellation
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Sampling
from smallhours.llm.engines.openai_http import OpenAiHttpEngine
from smallhours.safety.pipeline import SafetyPipeline
from tests.e2e.serving import serving as served
from tests.waiting import until


def test_the_stand_in_answers_as_a_model_server_does() -> None:
    with served(stand_in.application(0.01)) as url:
        engine = OpenAiHttpEngine(Endpoint(f"{url}/v1", "m"))
        found = engine.complete(Conversation.of("i cant sleep"), Sampling(), Cancellation())
        assert found.text == stand_in.ANSWER and found.finish == "stop"
        assert [one["id"] for one in engine.models() or []] == ["m"]


def test_its_answers_take_as_long_as_they_are_told_to() -> None:
    with served(stand_in.application(0.2)) as url:
        assert answered(ask(int(url.rpartition(":")[2]), "i cant sleep", stream=True)) >= 0.2


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

    assert load(call, 4, 8) == [float(-n) for n in reversed(range(8))]
    assert most == 4


def test_a_load_that_is_spread_begins_one_after_another() -> None:
    began = time.perf_counter()
    starts = load(lambda _: time.perf_counter() - began, 4, 4, spread=0.2)
    assert all(start >= 0.05 * number for number, start in enumerate(starts))


def test_no_two_messages_are_alike_and_only_cries_are_crises() -> None:
    asked = [question() for _ in range(20)]
    cried = [cry() for _ in range(5)]
    assert len({*asked, *cried}) == 25
    found = SafetyPipeline().screen_many([Conversation.of(text) for text in (*asked, *cried)])
    assert [decision.level.is_crisis for decision in found] == [False] * 20 + [True] * 5


WHOLE = 'data: {"choices": [{"delta": {"content": "x"}}]}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize(
    ("got", "kind"),
    [
        (Answered(1, 200, WHOLE), ANSWERED),
        (Answered(1, 200, WHOLE.replace("data: [DONE]\n\n", "")), "broken stream"),
        (Answered(1, 200, "data: [DONE]\n\n"), "broken stream"),
        (Answered(1, 429, "{}", 2.0), REFUSED),
        (Answered(1, 429, "{}"), "status 429"),
        (Answered(1, 500, "{}"), "status 500"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_only_whole_answers_and_honest_refusals_are_no_errors(got: Answered, kind: str) -> None:
    assert kind_of(got) == kind


def test_a_refusal_is_no_answer_however_fast() -> None:
    with pytest.raises(SystemExit, match="429"):
        answered(Answered(0.001, 429, "{}", 1.0))


def test_a_crowd_goes_on_until_it_is_told_to_stop() -> None:
    with served(stand_in.application(0.01)) as url:
        crowd = Crowd(int(url.rpartition(":")[2]), 3)
        with crowd.writing():
            until(lambda: crowd.got[ANSWERED] > 6)
        assert crowd.errors == 0 and set(crowd.got) == {ANSWERED}


@pytest.mark.parametrize(("count", "at"), [(1, 0), (20, 18), (100, 94)])
def test_p95_is_of_the_values_themselves(count: int, at: int) -> None:
    assert p95([float(n) for n in range(count)]) == at
