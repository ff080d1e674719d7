"""From a conversation to candidates: what the model sees, how it decodes, where its answer ends."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.errors import EngineError
from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.ports import Completion, Engine, Sampling
from smallhours.domain.settings import GenerationSettings

# Characters of history the model sees: about 1,000 tokens. The safety path always sees everything.
HISTORY_CHARACTERS = 4000

_SENTENCE_END = re.compile(r"[.!?…][\"')\]]*(?=\s|$)")


def recent(conversation: Conversation, budget: int = HISTORY_CHARACTERS) -> Conversation:
    """The last turns that fit in ``budget`` characters, beginning with the person's own words."""
    kept: list[Message] = []
    left = budget
    for message in reversed(conversation.without_system().messages):
        if kept and len(message.content) > left:
            break
        kept.append(Message(role=message.role, content=message.content[-left:]))
        left -= len(message.content)
    kept.reverse()
    while kept[0].role is not Role.USER:
        kept.pop(0)
    return Conversation(messages=tuple(kept), locale=conversation.locale)


def finish_sentence(completion: Completion) -> str:
    """The answer up to its last whole sentence, if the model ran out of tokens."""
    text = completion.text.strip()
    if completion.finish == "stop":
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else ""


def sentences(text: str) -> list[str]:
    """Whole sentences with the white space that follows them; joined they are ``text`` again."""
    pieces, start = [], 0
    for match in re.finditer(r"[.!?…؟।][\"')\]»”]*\s+", text):
        pieces.append(text[start : match.end()])
        start = match.end()
    return [*pieces, text[start:]] if start < len(text) else pieces


def sample(
    engine: Engine,
    conversation: Conversation,
    settings: GenerationSettings,
    seed: int,
    cancel: Cancellation | None = None,
) -> list[str]:
    """``settings.candidates`` answers, generated side by side; the first is greedy.

    Those that fail are left out.

    Raises:
        EngineError: when none comes.
    """
    prompt = recent(conversation)

    def one(number: int) -> str | EngineError:
        sampling = Sampling(
            temperature=settings.temperature if number else 0.0,
            top_p=settings.top_p,
            dry=settings.dry,
            repetition=settings.repetition,
            max_tokens=settings.max_tokens,
            seed=seed + number,
        )
        try:
            return finish_sentence(engine.complete(prompt, sampling, cancel))
        except EngineError as error:
            return error

    count = settings.candidates if settings.policy == "grounded" else 1
    with ThreadPoolExecutor(max_workers=count) as pool:
        attempts = list(pool.map(one, range(count)))
    texts = [attempt for attempt in attempts if isinstance(attempt, str)]
    if not texts:
        raise next(attempt for attempt in attempts if isinstance(attempt, EngineError))
    return texts
