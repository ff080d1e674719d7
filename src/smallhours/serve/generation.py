"""From a conversation to candidates, and from candidates to the one that is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.ports import Completion, Engine, Sampling
from smallhours.domain.risk import OutputVerdict
from smallhours.domain.settings import GenerationSettings
from smallhours.semantics.vectors import Encoder
from smallhours.serve.recall import Recalled

# Characters of history the model sees: about 1,000 tokens. The safety path always sees everything.
HISTORY_CHARACTERS = 4000
SHORTEST_WORDS = 8
IDEAL_WORDS = (20, 70)
REPEATED_SHARE = 0.2
OFF_TOPIC = 0.10

_SENTENCE_END = re.compile(r"[.!?…][\"')\]]*(?=\s|$)")


@dataclass(frozen=True)
class Candidate:
    """One attempt: its text, and why it may not be sent, if so. ``score`` ranks those that may."""

    text: str
    rejected: tuple[str, ...] = ()
    score: float = 0.0


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


def repeated_share(text: str) -> float:
    """Share of word 4-grams that occur before in the text (0 to 1)."""
    words = re.findall(r"\w+", text.lower())
    grams = [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def sample(engine: Engine, conversation: Conversation, settings: GenerationSettings, seed: int) -> list[str]:
    """``settings.candidates`` answers, generated side by side; the first is greedy.

    Raises:
        EngineError: when the model does not answer.
    """
    prompt = recent(conversation)

    def one(number: int) -> str:
        sampling = Sampling(
            temperature=settings.temperature if number else 0.0,
            top_p=settings.top_p,
            dry=settings.dry,
            max_tokens=settings.max_tokens,
            seed=seed + number,
        )
        return finish_sentence(engine.complete(prompt, sampling))

    count = settings.candidates if settings.policy == "grounded" else 1
    if count == 1:
        return [one(0)]
    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(pool.map(one, range(count)))


def judge(
    texts: Sequence[str],
    question: str,
    recalled: Sequence[Recalled],
    encoder: Encoder,
    screen: Callable[[str], OutputVerdict],
) -> list[Candidate]:
    """Say of each candidate why it may not be sent, or how good it is.

    The score is the nearness to the question and to the vetted answers of the nearest questions
    (cosines), less a little for an answer outside the usual length.
    """
    vectors = encoder.encode([question, *texts, *(r.pair.answer for r in recalled)])
    asked, answers, vetted = vectors[0], vectors[1 : 1 + len(texts)], vectors[1 + len(texts) :]
    judged = []
    for text, vector in zip(texts, answers, strict=True):
        relevance = float(vector @ asked)
        grounding = max((float(vector @ row) for row in vetted), default=0.0)
        verdict = screen(text)
        guarded = [] if verdict.allowed else [f.rule for f in verdict.findings if not f.excepted]
        reasons = [*_faults(text, relevance), *guarded]
        low, high = IDEAL_WORDS
        outside = 0.1 if not low <= len(text.split()) <= high else 0.0
        judged.append(Candidate(text, tuple(reasons), 0.5 * relevance + 0.5 * grounding - outside))
    return judged


def _faults(text: str, relevance: float) -> list[str]:
    faults = []
    if len(text.split()) < SHORTEST_WORDS:
        faults.append("too_short")
    if repeated_share(text) > REPEATED_SHARE:
        faults.append("repetitive")
    if relevance < OFF_TOPIC:
        faults.append("off_topic")
    return faults
