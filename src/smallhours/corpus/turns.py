"""The turns of a conversation, as the conventions of the field write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

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
    """A list that came as a text: the cell of a table holds none, so it is written as JSON."""
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


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
