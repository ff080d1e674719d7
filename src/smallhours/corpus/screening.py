"""Whether somebody in a crisis is answered by a text that a model would learn.

A crisis gets fixed words and people to call, never a model. So no model is trained to chat through one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files

from smallhours.corpus.text import wording
from smallhours.domain.messages import Conversation, Role
from smallhours.domain.records import Example
from smallhours.domain.risk import Decision, RiskLevel

# ``SafetyPipeline.screen_input``, or a test's own.
Screen = Callable[[Conversation], Decision]
BROKEN = "could not be screened"


def crises(example: Example, screen: Screen) -> Iterator[tuple[int, str]]:
    """The positions of messages in a crisis whose answer would be learnt, and the level in words.

    What the person says is judged in the light of all before it, and by itself: that something earlier was a
    crisis is for the turn that answered it. Once a crisis was handed over (an answer of weight 0), what
    follows is judged by itself alone: coming back to somebody who is safe is to be learnt. An error in the
    screen counts as a crisis.
    """
    messages = example.messages
    answered = 0  # the first message that no turn of ours has answered yet
    handed_over = False
    for position, message in enumerate(messages):
        if message.role is not Role.ASSISTANT:
            continue
        said = [at for at in range(answered, position) if messages[at].role is Role.USER]
        answered = position + 1
        handed_over = handed_over or message.weight == 0
        if not said or message.weight == 0:
            continue
        heard = messages[said[0] if handed_over else 0 : position]
        level = _level(Conversation(messages=heard, locale=example.locale), len(said), screen)
        if level and wording(" / ".join(messages[at].content for at in said)) not in read_as_ordinary():
            yield said[-1], level


def _level(conversation: Conversation, latest: int, screen: Screen) -> str:
    """How worried to be about the latest messages of the person, in words; empty where it is no crisis."""
    try:
        decision = screen(conversation)
        earlier = len(conversation.user_texts) - latest
        own = [f.level for f in decision.findings if f.message >= earlier and not f.excepted]
        level = max(own, default=RiskLevel.NONE) if earlier else decision.level
    except Exception:  # noqa: BLE001 - whatever breaks, the row is not trained on
        return BROKEN
    return f"level {level}" if level.is_crisis else ""


@cache
def read_as_ordinary() -> frozenset[str]:
    """Questions that somebody has read and found to be no crisis (``data/read_as_ordinary.txt``)."""
    lines = (files("smallhours.corpus") / "data/read_as_ordinary.txt").read_text("utf-8").splitlines()
    return frozenset(wording(line) for line in lines if line.strip() and not line.startswith("#"))
