"""Which of several answers is sent: what may not be said goes, the rest is ranked.

A small model writes well about the wrong thing more often than it writes badly, so being about what was
asked weighs most; the other scorers decide between answers that are. Each gives 0 to 1 and says what it looks
at; none judges whether an answer is good. The word lists are English, as is the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from smallhours.domain.risk import OutputVerdict
from smallhours.semantics.vectors import DIMENSIONS, Encoder, Vectors
from smallhours.serve.recall import Recalled
from smallhours.serve.wording import Wording

SHORTEST_WORDS = 8
IDEAL_WORDS, MOST_WORDS = (20, 70), 140
REPEATED_SHARE, ECHOED_SHARE, UNKNOWN_SHARE = 0.2, 0.5, 0.4
OFF_TOPIC = 0.10  # cosine of answer and question
_NEARER = 20.0  # how fast the weight of a vetted pair falls with its distance

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+")


def _phrases(text: str, before: str = r"\b") -> re.Pattern[str]:
    """Any of the phrases, which commas part; a star stands for any letters."""
    options = (re.escape(" ".join(p.split())).replace(r"\*", r"\w*") for p in text.split(","))
    return re.compile(rf"{before}({'|'.join(options)})\b", re.IGNORECASE)


_FEELING = _phrases(
    """a lot, alone, anger, angry, anxi*, common, confus*, difficult, disappoint*, draining, dread*,
    embarrass*, exhaust*, fear*, fright*, frustrat*, grief, griev*, guilt*, hard, heavy, hurt*, i hear,
    long night, lonely, lost, many people, miss, missing, no wonder, normal, of course, okay to,
    overwhelm*, pain*, panic*, sad, sadness, scared, scary, sham*, sorry, sounds like, stress*, stuck,
    makes sense, make sense, tired, tiring, tough, understandabl*, unfair, unsettl*, valid, wearing,
    wears, weigh*, worr*"""
)
_SCOLDING = _phrases(
    """be grateful, calm down, cheer up, get over, it is your fault, it's your fault, just ignore, just
    relax, just stop, others have it worse, stop complaining, stop crying, stop worrying, you have to
    stop, you must stop, you must get, you need to stop, you should have"""
)
# At the head of a sentence or clause, or after a word that lets one do something.
_STEP = _phrases(
    """agree, ask, book, breathe, call, choose, count, decide, drink, eat, find, get up, give, go to, hold,
    keep, leave, list, look, make, message, move, name, note, notice, open, pick, place, plan, put,
    read, rest, say, set, sit, speak, spend, stand, start, step, stretch, take, talk, tell, text, turn,
    visit, walk, wash, write, writing, walking, breathing, naming, telling, asking, talking""",
    before=r"(?:^|[.;,:!?]\s+|\b(?:and|or|then|to|could|can|try|might|by)\s+)",
)
_WHEN = _phrases(
    """1*, 2*, 3*, 4*, 5*, 6*, 7*, 8*, 9*, one, two, three, five, ten, minute, minutes, tonight, tomorrow,
    today, morning, evening, week, once, each day, every day"""
)


@dataclass(frozen=True)
class Candidate:
    """One attempt: its text, and why it may not be sent, if so. ``score`` ranks those that may; ``parts`` are
    what it is made of, by scorer.
    """

    text: str
    rejected: tuple[str, ...] = ()
    score: float = 0.0
    parts: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Answer:
    """An attempt beside its question. ``to_question`` and ``to_vetted`` are cosines, the latter a mean over
    the answers of the nearest vetted pairs; ``shared`` is :meth:`Wording.shared`.
    """

    text: str
    to_question: float
    to_vetted: float
    shared: float


@dataclass(frozen=True)
class Scorer:
    """A named view of an answer, 0 to 1, and how much it counts."""

    name: str
    weight: float
    explains: str
    score: Callable[[Answer], float]


def _relevance(answer: Answer) -> float:
    # Weights from the built-in pairs (docs/serving.md): own answers against those to like questions. Each
    # part has a ceiling: beyond it an answer is no more to the point, it repeats the question.
    near, like, named = min(answer.to_question, 0.6), min(answer.to_vetted, 0.5), min(answer.shared, 0.2)
    return _clipped((near + 0.5 * like + 1.5 * named) / 1.15)


def _warmth(answer: Answer) -> float:
    opening = _SENTENCE_END.split(answer.text.strip(), maxsplit=1)[0]
    return 1.0 if _FEELING.search(opening) else 0.5 if _FEELING.search(answer.text) else 0.0


def _concreteness(answer: Answer) -> float:
    steps = {found.lower() for found in _STEP.findall(answer.text)}
    return _clipped(0.4 * min(len(steps), 2) + 0.2 * bool(_WHEN.search(answer.text)))


def _brevity(answer: Answer) -> float:
    count, (low, high) = len(answer.text.split()), IDEAL_WORDS
    return count / low if count < low else _clipped((MOST_WORDS - count) / (MOST_WORDS - high))


SCORERS = (
    Scorer(
        "relevance", 1.0,
        "Nearness of sentence vectors to the question and to the vetted answers of like questions, and how "
        "much of what the answer names the question named.",
        _relevance,
    ),
    Scorer(
        "warmth", 0.05,
        "1 for a word for a feeling or hardship in the first sentence, half for one later.",
        _warmth,
    ),
    Scorer(
        "concreteness", 0.17,
        "Up to two different things to do, by their verbs (0.4 each), and a time or number (0.2).",
        _concreteness,
    ),
    Scorer("brevity", 0.1, "1 from 20 to 70 words; less below, and less above until 140.", _brevity),
)  # fmt: skip


def judge(
    texts: Sequence[str],
    question: str,
    recalled: Sequence[Recalled],
    encoder: Encoder,
    wording: Wording,
    screen: Callable[[str], OutputVerdict],
) -> list[Candidate]:
    """Say of each text why it may not be sent, or how good it is."""
    asked, *answers = encoder.encode([question, *texts])
    near = _mean_answer(recalled)
    judged = []
    for text, vector in zip(texts, answers, strict=True):
        shared = wording.shared(text, question)
        answer = Answer(text, float(vector @ asked), float(vector @ near), shared)
        verdict = screen(text)
        guarded = [] if verdict.allowed else [f.rule for f in verdict.findings if not f.excepted] or ["guard"]
        reasons = (*_faults(answer, question, wording), *guarded)
        parts = tuple((scorer.name, scorer.score(answer)) for scorer in SCORERS)
        total = sum(s.weight * part for s, (_, part) in zip(SCORERS, parts, strict=True))
        judged.append(Candidate(text, reasons, total, parts))
    return judged


def best(judged: Sequence[Candidate]) -> Candidate | None:
    """The highest score among those that may be sent; of equals, the earlier."""
    return max((c for c in judged if not c.rejected), key=lambda c: c.score, default=None)


def _mean_answer(recalled: Sequence[Recalled]) -> Vectors:
    """The mean vector of the vetted answers, the nearer the more; its product with another vector is the mean
    of their cosines.
    """
    if not recalled:
        return np.zeros(DIMENSIONS, dtype=np.float32)
    nearness = np.array([r.similarity for r in recalled], dtype=np.float32)
    weights = np.exp(_NEARER * (nearness - nearness.max()))
    mean: Vectors = (weights / weights.sum()) @ np.stack([r.answer for r in recalled])
    return mean


def _faults(answer: Answer, question: str, wording: Wording) -> list[str]:
    """Why an answer may not be sent that no guard would stop."""
    text = answer.text
    tests = {
        "too_short": len(text.split()) < SHORTEST_WORDS,
        "garbled": _is_garbled(text),
        "unknown_words": wording.unknown(text, question) > UNKNOWN_SHARE,
        "repetitive": repeated_share(text) > REPEATED_SHARE,
        "echo": max(_echoed_share(text, question), answer.shared) > ECHOED_SHARE,
        "scolding": bool(_SCOLDING.search(text)),
        "off_topic": answer.to_question < OFF_TOPIC,
    }
    return [name for name, found in tests.items() if found]


def _is_garbled(text: str) -> bool:
    """Broken characters, or more signs than letters."""
    letters = sum(c.isalpha() or c.isspace() for c in text)
    return (
        "\ufffd" in text or any(not (c.isprintable() or c.isspace()) for c in text) or 2 * letters < len(text)
    )


def repeated_share(text: str) -> float:
    """Share of word 4-grams that occur before in the text (0 to 1)."""
    grams = _grams(text)
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def _echoed_share(text: str, question: str) -> float:
    """Share of the answer's word 4-grams that stand in the question."""
    grams, asked = _grams(text), set(_grams(question))
    return sum(gram in asked for gram in grams) / len(grams) if grams else 0.0


def _grams(text: str) -> list[tuple[str, ...]]:
    found = re.findall(r"\w+", text.lower())
    return [tuple(found[i : i + 4]) for i in range(len(found) - 3)]


def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))
