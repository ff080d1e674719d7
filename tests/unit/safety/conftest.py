"""What the safety tests share: the case tables and one pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.risk import Decision
from smallhours.safety import SafetyPipeline

CASES = Path(__file__).parents[2] / "cases"


def rows(pattern: str) -> Iterator[dict[str, Any]]:
    """The lines of all case files that match, each with the name of its file."""
    for path in sorted(CASES.glob(pattern)):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            yield {"where": f"{path.name}:{number}"} | json.loads(line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that ask for ``input_case`` or ``reply_case`` run once for each line of the tables."""
    if "input_case" in metafunc.fixturenames:
        table = [r for r in rows("*.jsonl") if not r["where"].startswith(("reply_", "ranking"))]
        metafunc.parametrize("input_case", table, ids=[r["where"] for r in table])
    if "reply_case" in metafunc.fixturenames:
        table = list(rows("reply_*.jsonl"))
        metafunc.parametrize("reply_case", table, ids=[r["where"] for r in table])


@pytest.fixture(scope="session")
def pipeline() -> SafetyPipeline:
    return SafetyPipeline()


@pytest.fixture(scope="session")
def screen(pipeline: SafetyPipeline) -> Callable[[str], Decision]:
    return lambda text: pipeline.screen_input(Conversation.of(text))


@pytest.fixture(scope="session")
def talk() -> Callable[..., Conversation]:
    """``talk("hi", "hello", "bye")``: user, assistant, user."""

    def build(*turns: str) -> Conversation:
        roles = (Role.USER, Role.ASSISTANT)
        return Conversation(
            messages=tuple(Message(role=roles[i % 2], content=t) for i, t in enumerate(turns))
        )

    return build
