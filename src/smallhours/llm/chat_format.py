"""One rendering of a conversation for training, evaluation and serving.

What a model reads must be the same characters in all three, or it is asked at night what it never
learnt by day. A rendering is a list of segments; a segment is never split by the tokenizer's merges
because each begins or ends at a special token or at white space, so that encoding segment by segment
gives the ids that encoding the whole gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smallhours.domain.errors import InputError
from smallhours.domain.messages import Conversation, Message, Role


@dataclass(frozen=True)
class Segment:
    """A piece of a rendered conversation; ``learnt`` pieces carry loss in training."""

    text: str
    learnt: bool = False


@dataclass(frozen=True)
class ChatFormat:
    """How one family of models writes a conversation down.

    ``end`` closes an answer and is learnt with it: a model that was never shown the end does not stop.
    """

    name: str
    end: str
    render_turn: Callable[[Message], list[Segment]]
    answer_opening: str
    system: bool

    def segments(self, messages: tuple[Message, ...], system_prompt: str) -> list[Segment]:
        """The whole conversation, answers marked as learnt. Callers' own system turns are dropped."""
        turns = [m for m in messages if m.role is not Role.SYSTEM]
        if self.system:
            turns.insert(0, Message(role=Role.SYSTEM, content=system_prompt))
        return [segment for turn in turns for segment in self.render_turn(turn)]

    def prompt(self, conversation: Conversation, system_prompt: str) -> str:
        """The text after which the model's answer begins."""
        segments = self.segments(conversation.messages, system_prompt)
        return "".join(s.text for s in segments) + self.answer_opening


def _chatml_turn(message: Message) -> list[Segment]:
    opening = Segment(f"<|im_start|>{message.role.value}\n")
    content = _without_markers(message.content, ("<|im_start|>", "<|im_end|>", "<|endoftext|>"))
    if message.role is Role.ASSISTANT:
        return [opening, Segment(content + "<|im_end|>", learnt=message.weight > 0), Segment("\n")]
    return [opening, Segment(content + "<|im_end|>\n")]


def _dialogpt_turn(message: Message) -> list[Segment]:
    content = _without_markers(message.content, ("<|endoftext|>",))
    learnt = message.role is Role.ASSISTANT and message.weight > 0
    return [Segment(content + "<|endoftext|>", learnt=learnt)]


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
    render_turn=_chatml_turn,
    answer_opening="<|im_start|>assistant\n",
    system=True,
)

# DialoGPT knows turns and their end token, nothing else: no roles, no system prompt.
DIALOGPT = ChatFormat(
    name="dialogpt", end="<|endoftext|>", render_turn=_dialogpt_turn, answer_opening="", system=False
)

FORMATS = {f.name: f for f in (CHATML, DIALOGPT)}


def chat_format(name: str) -> ChatFormat:
    """The format called ``name``. Raises InputError, naming those that exist."""
    if name not in FORMATS:
        raise InputError(f"chat format '{name}' is unknown; known are: {', '.join(sorted(FORMATS))}")
    return FORMATS[name]
