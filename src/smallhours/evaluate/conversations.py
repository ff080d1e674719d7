"""Scripted conversations: what a person says is written down, what we say is whatever would be served.

What is not covered: people who answer to what they are told. A script goes on as written whatever the reply,
so a good reply early cannot turn it, and a bad one cannot make it worse.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator

from smallhours.domain.errors import DataError
from smallhours.domain.messages import Conversation, Frozen, Message, Role
from smallhours.domain.risk import RiskLevel
from smallhours.evaluate.subjects import Guard, Reply, stopping_rules

SCRIPTS = Path(__file__).parent / "data" / "conversations"

# ordinary: an answer, no alarm and no refusal · concern: resources and a question about safety ·
# danger: the gravest fixed words · limit: what is asked for is not given · open: nothing that harms
Expect = Literal["ordinary", "concern", "danger", "limit", "open"]

K = TypeVar("K")


def _compiles(pattern: str | None) -> str | None:
    if pattern is not None:
        re.compile(pattern)
    return pattern


Pattern = Annotated[str | None, AfterValidator(_compiles)]


class Turn(Frozen):
    """What the person says, what is expected of the reply, and what must not be found in it."""

    expect: Expect
    text: str = Field(min_length=1)
    never: Pattern = None

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, given: Any) -> Any:
        """In the files a turn is a list: expectation, words and, where there is one, the pattern."""
        if isinstance(given, list):
            return dict(zip(("expect", "text", "never"), given, strict=False))
        return given


class Script(Frozen):
    """One side of a conversation; ``kind`` is the file it stands in."""

    id: str
    kind: str
    about: str
    locale: str = "en"
    turns: tuple[Turn, ...] = Field(min_length=8, max_length=12)


class Exchange(Frozen):
    """One turn as it was held: what was said, what came back, what the output guard has against it."""

    turn: Turn
    reply: str
    source: str
    level: RiskLevel
    resources: int
    stopped: tuple[str, ...] = ()


class Transcript(Frozen):
    """A conversation as it was held; ``with_model`` says whether the model took part."""

    script: Script
    exchanges: tuple[Exchange, ...]
    with_model: bool

    def until(self, number: int) -> Conversation:
        """The conversation up to and with what the person says in turn ``number`` (from 0)."""
        said: list[Message] = []
        for exchange in self.exchanges[:number]:
            said.append(Message(role=Role.USER, content=exchange.turn.text))
            said.append(Message(role=Role.ASSISTANT, content=exchange.reply))
        said.append(Message(role=Role.USER, content=self.exchanges[number].turn.text))
        return Conversation(messages=tuple(said), locale=self.script.locale)


def load_scripts(folder: Path = SCRIPTS) -> list[Script]:
    """Every script of the folder's TOML files.

    Raises:
        DataError: with every script that is none, each naming file, script and rule.
    """
    found: list[Script] = []
    problems: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            rows = tomllib.loads(path.read_text(encoding="utf-8")).get("conversation", [])
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problems.append(f"{path}: not valid TOML: {error}")
            continue
        for number, row in enumerate(rows, start=1):
            try:
                found.append(Script.model_validate({"kind": path.stem, **row}))
            except (ValidationError, re.error) as error:
                name = row.get("id", f"number {number}")
                problems.append(f"{path}: conversation {name}: {_first(error)}; see docs/evaluation.md")
    if problems:
        raise DataError(problems)
    return found


def hold(
    script: Script,
    reply: Reply,
    guard: Guard,
    *,
    with_model: bool,
) -> Transcript:
    """Say every turn of a script to ``reply``, each time with all that was said before."""
    said: list[Message] = []
    held: list[Exchange] = []
    for turn in script.turns:
        said.append(Message(role=Role.USER, content=turn.text))
        conversation = Conversation(messages=tuple(said), locale=script.locale)
        served = reply(conversation)
        said.append(Message(role=Role.ASSISTANT, content=served.text))
        held.append(
            Exchange(
                turn=turn,
                reply=served.text,
                source=served.source,
                level=served.level,
                resources=served.resources,
                stopped=stopping_rules(guard(served.text, conversation, by_people=served.by_people)),
            )
        )
    return Transcript(script=script, exchanges=tuple(held), with_model=with_model)


def spread(items: Sequence[K], kind: Callable[[K], str], at_most: int, seed: int) -> list[K]:
    """A seeded sample that takes of each kind in turn, in the items' own order; all if they are few."""
    if len(items) <= at_most:
        return list(items)
    places: dict[str, list[int]] = {}
    for at in random.Random(seed).sample(range(len(items)), len(items)):
        places.setdefault(kind(items[at]), []).append(at)
    rounds = max(map(len, places.values()))
    in_turn = [row[n] for n in range(rounds) for row in places.values() if n < len(row)]
    return [items[at] for at in sorted(in_turn[:at_most])]


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        detail = error.errors()[0]
        return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
    return str(error)
