"""The turns of a conversation, as the conventions of the field write them."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

# Roles and fields of conversations in which a model called a program.
_TOOL_ROLES = {"tool", "function", "function call", "tool call", "tool response", "observation", "ipython"}
_CALLS = ("tool_calls", "function_call")

Turns = list[dict[str, Any]]

SPEAKER = ("role", "from", "speaker")
SAID = ("content", "value", "text")
_ROLES = {
    **dict.fromkeys(("user", "human", "client", "patient", "prompter", "person"), "user"),
    **dict.fromkeys(
        ("assistant", "gpt", "bot", "chatbot", "model", "ai", "therapist", "counselor"), "assistant"
    ),
    **dict.fromkeys(("system", "developer"), "system"),
}


def turns_of(value: Any, column: str) -> tuple[list[Turns], list[str]]:
    """One conversation, up to its last answer, and what is wrong with it.

    What the person says after the last answer has none to learn.
    """
    value = unfolded(value)
    if not isinstance(value, list) or not value:
        return [], [f"{column} = {value!r:.60}: must be a list of turns that ends with an answer"]
    for position, turn in enumerate(value):
        if _uses_tools(turn):
            said = "is the call of a tool, or what one gave back; no model here has tools"
            return [], [f"{column}.{position} {said}: leave the conversation out (corpus check --fix does)"]
    turns: Turns = []
    wrong: list[str] = []
    for position, turn in enumerate(value):
        outcome = _turn(turn, f"{column}.{position}")
        if isinstance(outcome, str):
            wrong.append(outcome)
        else:
            turns.append(outcome)
    if wrong:
        return [], wrong
    while turns and turns[-1]["role"] != "assistant":
        turns.pop()
    if not turns or not any(turn["role"] == "user" for turn in turns):
        return [], [f"{column}: no answer (role 'assistant') follows a question (role 'user')"]
    return [turns], []


def unfolded(value: Any) -> Any:
    """A list that came as a text, for the cell of a table holds none: written as JSON, or as Python does.

    A list of objects may have come as an object of lists, too, as some data sets hold them.
    """
    if isinstance(value, Mapping):
        columns = [held for held in value.values() if isinstance(held, list)]
        if columns and len(columns) == len(value) and len(set(map(len, columns))) == 1:
            return [dict(zip(value, cells, strict=True)) for cells in zip(*columns, strict=True)]
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    with suppress(ValueError, RecursionError):
        return json.loads(value)
    with suppress(ValueError, SyntaxError, RecursionError, MemoryError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.literal_eval(value.strip())
    return value


def _uses_tools(turn: Any) -> bool:
    if not isinstance(turn, Mapping):
        return False
    role = next((str(turn[key]) for key in SPEAKER if key in turn), "")
    return role.strip().casefold().replace("_", " ") in _TOOL_ROLES or any(map(turn.get, _CALLS))


def _joined(said: Any) -> Any:
    """A content in parts (``[{"type": "text", "text": …}]``) as one text, if every part is text."""
    if not isinstance(said, list) or not said:
        return said
    parts = [part.get("text") for part in said if isinstance(part, Mapping)]
    texts = [part for part in parts if isinstance(part, str)]
    return "\n".join(texts) if len(texts) == len(said) else said


def _turn(turn: Any, place: str) -> dict[str, Any] | str:
    """A turn in our own words, or what is wrong with it."""
    if not isinstance(turn, Mapping):
        return f"{place} = {turn!r:.60}: must be an object with a role and a content"
    speaker = next((turn[key] for key in SPEAKER if key in turn), None)
    said = next((turn[key] for key in SAID if key in turn), None)
    role = _ROLES.get(str(speaker).strip().casefold())
    if role is None:
        return f"{place}.role = {speaker!r:.40}: must be one of {', '.join(_ROLES)}"
    said = _joined(said)
    if not isinstance(said, str):
        return f"{place}.content = {said!r:.40}: must be text"
    if not said.strip():
        return f"{place}.content is empty; remove the message or fill it"
    weight = {"weight": turn["weight"]} if turn.get("weight") is not None else {}
    return {"role": role, "content": said.strip(), **weight}
