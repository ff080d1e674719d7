"""Examples and conversations refuse what makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from smallhours.domain.errors import RunError
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.records import Example, read_examples, write_examples
from smallhours.domain.risk import RiskLevel

USER, ASSISTANT = Role.USER, Role.ASSISTANT


def turns(*pairs: tuple[Role, str]) -> tuple[Message, ...]:
    return tuple(Message(role=role, content=content) for role, content in pairs)


@pytest.mark.parametrize(
    "messages", [turns((USER, "q")), turns((ASSISTANT, "a"), (USER, "q")), turns((ASSISTANT, "a"))]
)
def test_an_example_is_a_question_and_ends_with_an_answer(messages: tuple[Message, ...]) -> None:
    with pytest.raises(ValidationError):
        Example(id="x", messages=messages)


def test_rewording_replaces_the_last_question_alone() -> None:
    example = Example(
        id="x", messages=turns((USER, "one"), (ASSISTANT, "two"), (USER, "three"), (ASSISTANT, "four"))
    )
    assert [m.content for m in example.with_question("new")] == ["one", "two", "new", "four"]
    assert example.question == "three" and example.answer == "four"
    assert len(example.prompt.messages) == 3


def test_a_conversation_needs_somebody_who_speaks() -> None:
    with pytest.raises(ValidationError, match="user"):
        Conversation(messages=turns((ASSISTANT, "hello")))


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError):
        Message.model_validate({"role": "user", "content": "x", "name": "y"})


def test_levels_are_ordered_and_crisis_begins_at_elevated() -> None:
    assert max(RiskLevel.LOW, RiskLevel.IMMINENT, RiskLevel.NONE) is RiskLevel.IMMINENT
    assert sorted(RiskLevel, reverse=True)[0] is RiskLevel.IMMINENT
    assert (
        RiskLevel.NONE < RiskLevel.LOW <= RiskLevel.LOW
        and RiskLevel.HIGH > RiskLevel.ELEVATED >= RiskLevel.LOW
    )
    assert [level.is_crisis for level in RiskLevel] == [False, False, True, True, True]


def test_examples_survive_a_file_and_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    examples = [Example(id="é\u2028", messages=turns((USER, "q\n"), (ASSISTANT, "a")))]
    write_examples(path, examples)
    assert read_examples(path) == examples
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(RunError, match="line 2"):
        read_examples(path)
