"""One rendering of a conversation for training, evaluation and serving.

What a model reads must be the same characters in all three, or it is asked at night what it never
learnt by day. A format is data: the text before and after each kind of turn. So it can be written into a
package's manifest, and a server renders with it that has neither torch nor the model's own template.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from smallhours.domain.errors import InputError
from smallhours.domain.messages import Conversation, Message, Role


@dataclass(frozen=True)
class Segment:
    """A piece of a rendered conversation; ``learnt`` pieces carry loss in training."""

    text: str
    learnt: bool = False


@dataclass(frozen=True)
class Turn:
    """The text around what somebody says."""

    before: str
    after: str


@dataclass(frozen=True)
class ChatFormat:
    """How one family of models writes a conversation down.

    Attributes:
        end: the token that closes an answer. It is learnt with the answer: a model that was never shown the
            end does not stop.
        assistant: text around an answer that a user's turn follows; ``after`` begins with ``end``, or with
            white space and ``end``.
        answer_opening: text before the last answer, after which the model writes.
        lead: what an answer begins with before its first word (a space, in some formats); learnt with it.
        system: text around the system prompt, which comes first; ``None`` where there is no place for it.
        joined: the system prompt is the beginning of the first user's turn.
        markers: what nobody may write into a turn, because it would open or close one.
        trimmed: white space around what is said is dropped.
    """

    name: str
    end: str
    user: Turn
    assistant: Turn
    answer_opening: str
    markers: tuple[str, ...]
    lead: str = ""
    system: Turn | None = None
    joined: bool = False
    trimmed: bool = False

    def segments(self, messages: tuple[Message, ...], system_prompt: str) -> list[Segment]:
        """The whole conversation, answers marked as learnt. Callers' own system turns are dropped."""
        return [segment for segment in self._segments(messages, system_prompt) if segment.text]

    def prompt(self, conversation: Conversation, system_prompt: str) -> str:
        """The text after which the model's answer begins."""
        segments = self.segments(conversation.messages, system_prompt)
        return "".join(s.text for s in segments) + self.answer_opening

    def described(self) -> str | dict[str, Any]:
        """Its name, or where it was read from a template all its parts, for a manifest."""
        return self.name if FORMATS.get(self.name) == self else asdict(self)

    def _segments(self, messages: tuple[Message, ...], system_prompt: str) -> Iterator[Segment]:
        turns = [m for m in messages if m.role is not Role.SYSTEM]
        asked = max((i for i, m in enumerate(turns) if m.role is Role.USER), default=-1)
        joined = self.joined and self.system is not None
        if self.system is not None:
            yield Segment(self.system.before)
            yield Segment(self._said(system_prompt) + self.system.after)
        if joined and turns and turns[0].role is not Role.USER:
            yield Segment(self.user.after)
            joined = False
        for number, turn in enumerate(turns):
            if turn.role is Role.USER:
                if not (joined and number == 0):
                    yield Segment(self.user.before)
                yield Segment(self._said(turn.content) + self.user.after)
            else:
                opening = self.assistant.before if number < asked else self.answer_opening
                yield from self._answer(turn, opening)

    def _answer(self, turn: Message, opening: str) -> Iterator[Segment]:
        cut = self.assistant.after.index(self.end) + len(self.end)
        yield Segment(opening)
        text = self.lead + self._said(turn.content) + self.assistant.after[:cut]
        yield Segment(text, learnt=turn.weight > 0)
        yield Segment(self.assistant.after[cut:])

    def _said(self, text: str) -> str:
        text = _without_markers(text, self.markers)
        return text.strip() if self.trimmed else text


def _without_markers(text: str, markers: tuple[str, ...]) -> str:
    """Text that cannot open or close a turn, whatever somebody typed."""
    previous = None
    while previous != text:
        previous = text
        for marker in markers:
            text = text.replace(marker, "")
    return text


CHATML = ChatFormat(
    name="chatml",
    end="<|im_end|>",
    system=Turn("<|im_start|>system\n", "<|im_end|>\n"),
    user=Turn("<|im_start|>user\n", "<|im_end|>\n"),
    assistant=Turn("<|im_start|>assistant\n", "<|im_end|>\n"),
    answer_opening="<|im_start|>assistant\n",
    markers=("<|im_start|>", "<|im_end|>", "<|endoftext|>"),
)

# DialoGPT knows turns and their end token, nothing else: no roles, no system prompt.
DIALOGPT = ChatFormat(
    name="dialogpt",
    end="<|endoftext|>",
    user=Turn("", "<|endoftext|>"),
    assistant=Turn("", "<|endoftext|>"),
    answer_opening="",
    markers=("<|endoftext|>",),
)

FORMATS = {f.name: f for f in (CHATML, DIALOGPT)}


def chat_format(described: str | Mapping[str, Any]) -> ChatFormat:
    """The format of that name, or the one whose parts :meth:`ChatFormat.described` wrote down.

    Raises:
        InputError: an unknown name, naming those that exist; parts that make no format.
    """
    if isinstance(described, str):
        if described not in FORMATS:
            raise InputError(f"chat format '{described}' is unknown; known are: {', '.join(sorted(FORMATS))}")
        return FORMATS[described]
    try:
        parts = dict(described)
        for role in ("system", "user", "assistant"):
            parts[role] = parts[role] and Turn(**parts[role])
        return ChatFormat(**{**parts, "markers": tuple(parts["markers"])})
    except (KeyError, TypeError) as error:
        raise InputError(f"the manifest's chat format is damaged ({error}); export the run again") from None
