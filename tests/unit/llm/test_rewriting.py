"""Wordings asked of a model: a list of strings, or a reply that is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhours.domain.errors import EngineError, ReplyError
from smallhours.llm.engines.scripted import ScriptedEngine
from smallhours.llm.rewriting import EngineRewriter, parse


def test_the_model_gets_message_language_and_count_as_data() -> None:
    engine = ScriptedEngine(['["why", "how come"]'])
    assert EngineRewriter(engine).rewordings('say "no"', "en", 4) == ["why", "how come"]
    sent = json.loads(engine.conversations[0].last_user_text)
    assert sent == {"language": "en", "count": 4, "message": 'say "no"'}


def test_a_model_that_fails_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match="out of memory"):
        EngineRewriter(ScriptedEngine([RuntimeError("out of memory")])).rewordings("why", "en", 2)


@pytest.mark.parametrize(
    ("reply", "wordings"),
    [
        ('["a b", "c"]', ["a b", "c"]),
        ('\n ["a",\n "b"] ', ["a", "b"]),
        ('```json\n["a"]\n```', ["a"]),
        ('```\n["a", "b"]\n```\n', ["a", "b"]),
        ('["a  b\\n c"]', ["a b c"]),
        ('["1", "2", "3", "4"]', ["1", "2", "3"]),
        ('["ca va\\u00a0?", "😴"]', ["ca va ?", "😴"]),
    ],
)
def test_a_list_of_strings_is_read(reply: str, wordings: list[str]) -> None:
    assert parse(reply, 3) == wordings


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I am sorry that you feel like this.",
        'Here you are: ["a"]',
        '["a", "b"',
        "[]",
        '["a", ""]',
        '["a", 2]',
        '[["a"]]',
        '{"wordings": ["a"]}',
        '"a"',
        '["\\ud800"]',
        '["a\\u0000b"]',
        "[" * 100_000,
    ],
)
def test_anything_else_is_refused_and_not_repeated(reply: str) -> None:
    with pytest.raises(ReplyError) as caught:
        parse(reply, 3)
    assert "sorry" not in str(caught.value)


@given(st.one_of(st.text(), st.recursive(st.text() | st.integers(), st.lists).map(json.dumps)))
@settings(max_examples=60, deadline=None, database=None)
def test_whatever_is_read_can_be_stored(reply: str) -> None:
    try:
        found = parse(reply, 3)
    except ReplyError:
        return
    assert 1 <= len(found) <= 3
    assert all(wording.strip() and wording.encode() for wording in found)
