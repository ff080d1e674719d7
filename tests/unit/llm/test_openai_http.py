"""The client for OpenAI-compatible endpoints: it answers, or it says in one line why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import EngineError, SettingsError
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.ports import Engine, Sampling
from smallhours.llm.engines.openai_http import ChatDialect, OpenAiHttpEngine
from smallhours.llm.engines.wire import Patience
from tests.unit.fake_endpoint import (
    Behaviour,
    FakeEndpoint,
    endpoint,
    hangs_up,
    is_slow,
    says,
    sends,
    streams,
)

KEY = "sk-very-secret"
TALK = Conversation(
    messages=(
        Message(role=Role.SYSTEM, content="a caller's own system prompt"),
        Message(role=Role.USER, content="i cant sleep"),
    )
)
SAMPLING = Sampling(temperature=0.5, top_p=0.9, max_tokens=50, seed=3, dry=0.8)


@contextmanager
def engine_at(
    *behaviours: Behaviour, timeout: float = 5.0
) -> Iterator[tuple[OpenAiHttpEngine, FakeEndpoint]]:
    with endpoint(*behaviours) as fake:
        engine = OpenAiHttpEngine(
            Endpoint(fake.url, "llama"),
            key=KEY,
            system_prompt="Be kind.",
            patience=Patience(first=timeout, idle=timeout),
        )
        yield engine, fake
        engine.close()


def test_it_asks_as_the_standard_has_it_and_reads_the_answer() -> None:
    with engine_at(says("  Rest a little. ")) as (engine, fake):
        found = engine.complete(TALK, SAMPLING)
    assert (found.text, found.tokens, found.finish) == ("Rest a little.", 7, "stop")
    assert fake.requests == [
        {
            "model": "llama",
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "i cant sleep"},
            ],
            "temperature": 0.5,
            "top_p": 0.9,
            "max_tokens": 50,
            "seed": 3,
            "stream": True,
        }
    ]
    assert fake.headers[0]["authorization"] == f"Bearer {KEY}"


def test_structured_output_is_asked_for_as_the_standard_has_it() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    asked = ChatDialect("llama", "Be kind.", schema).request(TALK, SAMPLING)
    assert asked["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "reply", "strict": True, "schema": schema},
    }
    assert "response_format" not in ChatDialect("llama", "Be kind.").request(TALK, SAMPLING)


def test_it_is_an_engine_and_says_which_model_answers() -> None:
    with engine_at(says("Rest.")) as (engine, _):
        assert isinstance(engine, Engine)
        assert engine.identity.base == "llama at 127.0.0.1"


def test_an_answer_that_was_cut_says_so() -> None:
    with engine_at(says("Rest a", finish="length")) as (engine, _):
        assert engine.complete(TALK, SAMPLING).finish == "length"


@pytest.mark.parametrize("trouble", [sends(500), sends(429), hangs_up], ids=["500", "429", "hang-up"])
def test_trouble_that_passes_is_tried_once_more(trouble: Behaviour) -> None:
    with engine_at(trouble, says("Rest.")) as (engine, fake):
        assert engine.complete(TALK, SAMPLING).text == "Rest."
    assert len(fake.requests) == 2


# What the endpoint does, what is said of it, and how often it was asked.
FAILURES = [
    pytest.param(sends(500), "HTTP 500", 2, id="500"),
    pytest.param(sends(401), "HTTP 401: the key is missing or wrong", 1, id="401"),
    pytest.param(sends(404), "HTTP 404: check the URL", 1, id="404"),
    pytest.param(sends(302), "HTTP 302", 1, id="elsewhere"),
    pytest.param(hangs_up, "it hung up", 2, id="hang-up"),
    pytest.param(is_slow, "silent for 0.2 s", 1, id="slow"),
    pytest.param(sends(200, "<html>hello</html>"), "does not answer in JSON", 1, id="a web page"),
    pytest.param(sends(200, "[" * 100_000), "does not answer in JSON", 1, id="deep nonsense"),
    pytest.param(sends(200, '{"choices": []}'), "no text where one belongs", 1, id="no choice"),
    pytest.param(
        sends(200, '{"choices": [{"message": {"content": null}}]}'), "no text where", 1, id="no text"
    ),
]


@pytest.mark.parametrize(("behaviour", "told", "asked"), FAILURES)
def test_an_endpoint_that_does_not_answer_is_an_engine_error(
    behaviour: Behaviour, told: str, asked: int
) -> None:
    with engine_at(behaviour, timeout=0.2) as (engine, fake):
        with pytest.raises(EngineError) as caught:
            engine.complete(TALK, SAMPLING)
        assert len(fake.requests) == asked
    assert told in str(caught.value) and str(caught.value).startswith("llama at 127.0.0.1: ")
    assert KEY not in str(caught.value) and "sleep" not in str(caught.value)


def test_nobody_at_home() -> None:
    with endpoint(says("Rest.")) as gone:
        pass
    engine = OpenAiHttpEngine(Endpoint(gone.url, "llama"))
    with pytest.raises(EngineError, match="no connection; is it running"):
        engine.complete(TALK, SAMPLING)
    with pytest.raises(EngineError, match="no connection; is it running"):
        list(engine.stream(TALK, SAMPLING))
    engine.close()


class TestStream:
    def test_pieces_come_as_they_are_sent(self) -> None:
        pieces = ("Rest", " a little.\u2028Then", " “sleep” 😴")
        usage = '{"choices": [], "usage": {"completion_tokens": 3}}'
        with engine_at(streams(*pieces, extra=[usage])) as (engine, _):
            assert tuple(engine.stream(TALK, SAMPLING)) == pieces

    def test_an_end_without_the_last_word_is_an_end_if_it_was_finished(self) -> None:
        last = '{"choices": [{"delta": {}, "finish_reason": "stop"}]}'
        with engine_at(streams("Rest.", done=False, extra=[last])) as (engine, _):
            assert list(engine.stream(TALK, SAMPLING)) == ["Rest."]

    def test_breaking_off_is_an_error_after_what_came(self) -> None:
        with engine_at(streams("Rest", done=False)) as (engine, _):
            coming = engine.stream(TALK, SAMPLING)
            assert next(coming) == "Rest"
            with pytest.raises(EngineError, match="hung up before the answer was whole"):
                next(coming)

    @pytest.mark.parametrize(
        ("behaviour", "told"),
        [
            (streams(extra=['{"error": {"message": "i cant sleep"}}']), "no part of an answer"),
            (streams(extra=["nonsense"]), "does not answer in JSON"),
            (sends(503), "HTTP 503"),
            (hangs_up, "it hung up"),
            (is_slow, "silent for 0.2 s"),
        ],
        ids=["error", "nonsense", "503", "hang-up", "slow"],
    )
    def test_trouble_is_an_engine_error(self, behaviour: Behaviour, told: str) -> None:
        with (
            engine_at(behaviour, timeout=0.2) as (engine, _),
            pytest.raises(EngineError, match=told) as caught,
        ):
            list(engine.stream(TALK, SAMPLING))
        assert "sleep" not in str(caught.value)


class TestEndpoint:
    @pytest.mark.parametrize(
        "url",
        [
            "127.0.0.1:11434/v1",
            "ftp://host/v1",
            "http://",
            "http://me:secret@host/v1",
            "http://host/v1?key=secret",
            "http://host:port/v1",
            "http://[::1/v1",
        ],
    )
    def test_a_url_that_is_none_or_holds_a_secret_is_refused_and_not_repeated(self, url: str) -> None:
        with pytest.raises(SettingsError, match=r"corpus\.rewording_url") as caught:
            Endpoint(url, "")
        assert "corpus.rewording_model" in str(caught.value)
        assert "secret" not in str(caught.value)

    def test_its_name_has_no_more_of_the_url_than_the_host(self) -> None:
        assert Endpoint("https://Models.example:8443/team/v1", "m").name == "m at models.example"

    def test_the_key_is_in_the_variable_that_is_named(self) -> None:
        assert Endpoint("http://h", "m").key({}) is None
        assert Endpoint("http://h", "m", "LLM_KEY").key({"LLM_KEY": f" {KEY}\n"}) == KEY

    @pytest.mark.parametrize("environment", [{}, {KEY: ""}, {KEY: "a\nb"}, {KEY: "schlüssel"}])
    def test_a_key_that_is_missing_or_none_is_told_without_what_was_given(
        self, environment: dict[str, str]
    ) -> None:
        with pytest.raises(SettingsError) as caught:
            Endpoint("http://h", "m", KEY).key(environment)
        assert KEY not in str(caught.value) and "schlüssel" not in str(caught.value)
