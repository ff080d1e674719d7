"""Whether somebody in a crisis is answered by a text that a model would learn.

A crisis gets fixed words and people to call, never a model. So no model is trained to chat through one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.resources import files
from itertools import islice

from smallhours.corpus.rows import Fault
from smallhours.corpus.shapes import Found
from smallhours.corpus.text import wording
from smallhours.domain.messages import Conversation, Role
from smallhours.domain.records import Example
from smallhours.domain.risk import Decision, RiskLevel

# ``SafetyPipeline.screen_input``, or a test's own.
Screen = Callable[[Conversation], Decision]
# ``SafetyPipeline.screen_many``: the same for many, in order.
ScreenMany = Callable[[Iterable[Conversation]], Iterable[Decision]]
TOGETHER = 256  # rows that are screened, and held, at a time
BROKEN = "could not be screened"


class Ahead:
    """A screen that has looked at many rows together by the time it is asked about one of them.

    Whatever it was not shown, or could not screen together, it asks ``screen`` for; without
    ``screen_many`` that is everything.
    """

    def __init__(self, screen: Screen, screen_many: ScreenMany | None = None) -> None:
        self._screen = screen
        self._screen_many = screen_many
        self._known: dict[Conversation, Decision] = {}

    def __call__(self, conversation: Conversation) -> Decision:
        """The decision about a conversation."""
        known = self._known.get(conversation)
        return self._screen(conversation) if known is None else known

    def over(self, items: Iterable[Found | Fault]) -> Iterator[Found | Fault]:
        """The same rows, each after ``TOGETHER`` of them were looked at. One pass at a time."""
        if self._screen_many is None:
            yield from items
            return
        rest = iter(items)
        while chunk := list(islice(rest, TOGETHER)):
            examples = [item.example for item in chunk if isinstance(item, Found)]
            asked = [heard for example in examples for _, heard in _judged(example)]
            self._known = _together(list(dict.fromkeys(asked)), self._screen_many)
            yield from chunk
        self._known = {}


def _together(asked: list[Conversation], screen_many: ScreenMany) -> dict[Conversation, Decision]:
    try:
        return dict(zip(asked, screen_many(asked), strict=True))
    except Exception:  # noqa: BLE001 - one by one, then, where what breaks counts as a crisis
        return {}


def crises(example: Example, screen: Screen) -> Iterator[tuple[int, str]]:
    """The positions of messages in a crisis whose answer would be learnt, and the level in words.

    What the person says is judged in the light of all before it, and by itself: that something earlier was a
    crisis is for the turn that answered it. Once a crisis was handed over (an answer of weight 0), what
    follows is judged by itself alone: coming back to somebody who is safe is to be learnt. An error in the
    screen counts as a crisis.
    """
    messages = example.messages
    for said, heard in _judged(example):
        level = _level(heard, len(said), screen)
        if level and wording(" / ".join(messages[at].content for at in said)) not in read_as_ordinary():
            yield said[-1], level


def _judged(example: Example) -> Iterator[tuple[list[int], Conversation]]:
    """The positions of the messages that a learnt answer is for, and the conversation to judge them in."""
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
        yield said, Conversation(messages=heard, locale=example.locale)


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
