"""What a person sees when the model is gone, slow or out of its mind: neither silence nor its words."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import ModelIdentity
from smallhours.domain.settings import GenerationSettings
from smallhours.llm.engines.openai_http import OpenAiHttpEngine
from smallhours.llm.engines.wire import Patience
from smallhours.safety.pipeline import SafetyPipeline
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.metrics import Metrics
from smallhours.serve.recall import Recall
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
from tests.unit.serve.conftest import GOOD, VETTED

NEAR = Conversation.of("another long night, i keep thinking of tomorrow and cannot sleep")
FAR = Conversation.of("what is the capital of mongolia", "en-GB")
CRISIS = Conversation.of("i want to kill myself", "en-GB")


@contextmanager
def assistant_with(
    recall: Recall, *servers: Behaviour, total: float = 0.6
) -> Iterator[tuple[Assistant, FakeEndpoint]]:
    """An assistant whose model is behind one real HTTP server that behaves so."""
    with endpoint(*servers) as fake:
        engine = OpenAiHttpEngine(
            Endpoint(fake.url, "m"),
            patience=Patience(connect=1, first=total / 2, idle=total / 2, total=total),
            tries=1,
        )
        pool = UpstreamPool([Upstream("u", engine, lambda: None)], ModelIdentity(base="b"))
        settings = GenerationSettings(vetted_first=0.55)
        yield Assistant(SafetyPipeline(), pool, recall, settings), fake


BROKEN = "\ufffd\ufffd a \ufffd night \ufffd\ufffd of \ufffd sleep \ufffd long ones"
SIGNS = "{'sleep': [1, 2, 3], '%%': ((((#### ;;;; //// ==== [[[[ ]]]] @@@@ ____"
COPPER = "The quarterly report lists the export tariffs on copper wire and steel."
DOSE = "You have insomnia, a disorder. Take 50 mg of trazodone every night to sleep."

FAULTS = [
    pytest.param(hangs_up, id="hangs up"),
    pytest.param(sends(500), id="HTTP 500"),
    pytest.param(sends(200, "<html>It works!</html>"), id="a web page"),
    pytest.param(is_slow, id="silent"),
    pytest.param(drips(), id="never ends"),
    pytest.param(streams("Nights are hard. Take a wa", done=False), id="closes mid-stream"),
    pytest.param(streams("Nights are hard."), id="stops after a few words"),
    pytest.param(says(""), id="says nothing"),
    pytest.param(says("   \n\n  \n"), id="white space"),
    pytest.param(says("sleep sleep sleep sleep sleep sleep " * 9), id="one word for ever"),
    pytest.param(says(BROKEN), id="broken characters"),
    pytest.param(says(SIGNS), id="signs"),
    pytest.param(says(COPPER), id="off topic"),
    pytest.param(says(NEAR.last_user_text + " " + NEAR.last_user_text), id="an echo"),
    pytest.param(says(DOSE), id="a dose"),
]


@pytest.fixture(scope="module", autouse=True)
def warm(recall: Recall) -> None:
    """The clock is for faults, not for loading lexicons."""
    Assistant(SafetyPipeline(), None, recall, GenerationSettings()).reply(NEAR)


@pytest.mark.parametrize("fault", FAULTS)
def test_near_a_vetted_pair_its_answer_stands_in(recall: Recall, fault: Behaviour) -> None:
    with assistant_with(recall, fault) as (assistant, _):
        began = time.monotonic()
        reply = assistant.reply(NEAR)
        assert (reply.source, reply.text) == ("vetted", next(iter(VETTED.values())))
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("fault", FAULTS[::4])
def test_far_from_everything_vetted_it_is_said_honestly(recall: Recall, fault: Behaviour) -> None:
    with assistant_with(recall, fault) as (assistant, _):
        assert assistant.reply(FAR).source in ("unavailable", "boundary")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_crisis_is_answered_as_ever_and_asks_no_model(recall: Recall, fault: Behaviour) -> None:
    with assistant_with(recall, fault) as (assistant, fake):
        reply = assistant.reply(CRISIS)
        assert reply.source == "crisis" and "116 123" in {r.tel for r in reply.resources}
        assert fake.requests == []


def test_one_candidate_that_fails_does_not_spoil_the_others(recall: Recall) -> None:
    with assistant_with(recall, hangs_up, says(GOOD)) as (assistant, _):
        reply = assistant.reply(NEAR)
        assert (reply.source, reply.text, len(reply.candidates)) == ("generated", GOOD, 2)


def test_a_model_that_comes_back_is_asked_again(recall: Recall) -> None:
    with assistant_with(recall, *[hangs_up] * 3, says(GOOD)) as (assistant, _):
        assert assistant.reply(NEAR).source == "vetted"
        assert [h.state for h in assistant.health()] == ["resting"]
        time.sleep(1.05)
        assert assistant.reply(NEAR).source == "generated"
        assert [h.state for h in assistant.health()] == ["ready"]


@pytest.mark.parametrize("model", [drips(pause=0.05), notes_silence], ids=["writing", "thinking"])
def test_when_the_person_leaves_every_candidate_ends_at_the_server(recall: Recall, model: Behaviour) -> None:
    with assistant_with(recall, model) as (assistant, fake):
        cancel = Cancellation()
        threading.Thread(target=lambda: fake.started.wait(5) and cancel.cancel()).start()
        began = time.monotonic()
        assert assistant.reply(NEAR, cancel=cancel).source == "vetted"
        assert time.monotonic() - began < 1 and fake.hung_up.wait(2)
        assert [(h.state, h.in_flight) for h in assistant.health()] == [("ready", 0)]


def test_operators_see_how_every_server_is_and_no_word_of_a_person(recall: Recall) -> None:
    with assistant_with(recall, hangs_up) as (assistant, _):
        assistant.reply(NEAR)
        metrics = Metrics()
        metrics.watch(assistant.health)
        text = metrics.text().decode()
        assert 'smallhours_model_up{server="u"} 0.0' in text
        assert 'smallhours_model_state{server="u",state="resting"} 1.0' in text
        assert 'smallhours_model_in_flight{server="u"} 0.0' in text and "tomorrow" not in text
