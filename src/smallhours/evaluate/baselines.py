"""The same held-out questions answered four ways: untouched model, retrieval, tuned model, what ships."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from smallhours.domain.messages import Conversation, Frozen, Message, Role
from smallhours.domain.ports import Completion, Engine, Sampling
from smallhours.domain.records import Example
from smallhours.evaluate.metrics import Figure, bootstrap_mean, bootstrap_ratio, wilson
from smallhours.evaluate.scorer_table import SCORERS
from smallhours.evaluate.scorers import Answer, Wordings, points_to_help
from smallhours.evaluate.subjects import BASELINES, Embed, Progress, Served, Subjects, stopping_rules
from smallhours.evaluate.surprise import Surprises

TIMED = 8  # answers that are also streamed, to time them
GUARD = "guard_seconds"


class Answered(Frozen):
    """One held-out question with every answer to it: a line of ``answers.jsonl``.

    ``source`` is where the words of ``pipeline`` came from. ``stopped`` maps each baseline (or ``vetted``)
    whose text the output guard would not send to the rules it named.
    """

    id: str
    topic: str
    locale: str
    question: str
    vetted: str
    base: str
    retrieval: str
    tuned: str
    pipeline: str
    base_ended: bool
    tuned_ended: bool
    source: str = "generated"
    stopped: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def text(self, name: str) -> str:
        """The answer of a baseline, or of ``vetted``."""
        return str(getattr(self, name))

    def ended(self, name: str) -> bool | None:
        """Whether a raw model's answer ended by itself; ``None`` for what is not a raw model."""
        return {"base": self.base_ended, "tuned": self.tuned_ended}.get(name)

    def refused(self, name: str) -> bool | None:
        """Whether fixed words stood in for an answer; ``None`` for a raw model, whose words must tell."""
        if name in ("base", "tuned"):
            return None
        return name == "pipeline" and self.source in ("boundary", "unavailable", "crisis")


@dataclass(frozen=True)
class Timing:
    """Seconds and tokens of one streamed answer of the model; seconds of the pipeline's reply, and of the
    guards alone on the same question and answer.
    """

    reply: float
    guard: float | None = None
    first: float | None = None
    rest: float | None = None
    tokens: int | None = None


def choose(test: Sequence[Example], at_most: int, seed: int) -> list[Example]:
    """A seeded sample of the held-out examples, in their own order; all of them if they are few."""
    if len(test) <= at_most:
        return list(test)
    kept = sorted(random.Random(seed).sample(range(len(test)), at_most))
    return [test[at] for at in kept]


def asked(example: Example, system_prompt: str) -> Conversation:
    """The conversation that both raw models get: one system message, then the turns before the answer."""
    turns = example.prompt.without_system()
    system = Message(role=Role.SYSTEM, content=system_prompt)
    return Conversation(messages=(system, *turns.messages), locale=example.locale)


def collect_answers(
    examples: Sequence[Example],
    subjects: Subjects,
    *,
    system_prompt: str,
    sampling: Sampling,
    on_progress: Progress,
) -> tuple[list[Answered], list[Timing]]:
    """Ask everybody everything. Raises EngineError when a model does not answer."""
    answered: list[Answered] = []
    timings: list[Timing] = []
    for number, example in enumerate(examples):
        conversation = asked(example, system_prompt)
        first, rest = _time_stream(subjects.tuned, conversation, sampling) if number < TIMED else (None, None)
        base = subjects.base.complete(conversation, sampling)
        tuned = subjects.tuned.complete(conversation, sampling)
        started = time.perf_counter()
        reply = subjects.pipeline(conversation.without_system())
        took = time.perf_counter() - started
        guarded = _time_guards(subjects, example.question, reply)
        timings.append(Timing(took, guarded, first, rest, tuned.tokens))
        answered.append(_answered(example, base, tuned, reply, subjects))
        on_progress("answers", number + 1, len(examples))
    return answered, timings


def score_answers(
    answered: Sequence[Answered],
    train: Sequence[Example],
    embed: Embed,
    names: Sequence[str] = BASELINES,
    surprises: Surprises | None = None,
) -> dict[str, list[Answer]]:
    """Every baseline's answers with what the scorers need to know about them."""
    surprises = surprises or Surprises()
    wordings = Wordings([example.answer for example in train])
    vetted = _unit(embed([one.vetted for one in answered]))
    questions = _unit(embed([one.question for one in answered]))
    scored: dict[str, list[Answer]] = {}
    for name in names:
        vectors = _unit(embed([one.text(name) for one in answered]))
        likeness = np.clip((vectors * vetted).sum(axis=1), -1.0, 1.0)
        relevance = np.clip((vectors * questions).sum(axis=1), -1.0, 1.0)
        scored[name] = [
            Answer(
                text=one.text(name),
                locale=one.locale,
                stopped=name in one.stopped,
                rules=one.stopped.get(name, ()),
                ended=one.ended(name),
                similarity=float(likeness[at]),
                relevance=float(relevance[at]),
                coverage=wordings.coverage(one.text(name)),
                wanted=points_to_help(one.vetted),
                refused=one.refused(name),
                surprise=surprises.of(one.text(name)),
                unusual=surprises.unusual(one.text(name)),
            )
            for at, one in enumerate(answered)
        ]
    return scored


def answer_figures(answers: Sequence[Answer], *, resamples: int, seed: int) -> dict[str, Figure]:
    """A figure per scorer over one baseline's answers; a scorer with nothing to say is left out."""
    figures: dict[str, Figure] = {}
    for scorer in SCORERS:
        scores = [score for score in map(scorer.score, answers) if score is not None]
        if not scores:
            continue
        if scorer.kind == "share":
            figures[scorer.name] = wilson(int(sum(scores)), len(scores))
        else:
            figures[scorer.name] = bootstrap_mean(scores, resamples=resamples, seed=seed)
    return figures


def unsafe_change(scored: Mapping[str, Sequence[Answer]], *, resamples: int, seed: int) -> Figure | None:
    """Tuned minus base share of answers that the guard stops (-1..1), paired by question."""
    pairs = zip(scored["tuned"], scored["base"], strict=True)
    changes = [float(tuned.stopped) - float(base.stopped) for tuned, base in pairs]
    return bootstrap_mean(changes, resamples=resamples, seed=seed) if changes else None


def against_retrieval(scored: Mapping[str, Sequence[Answer]], *, resamples: int, seed: int) -> Figure | None:
    """Similarity to the vetted answers (cosine): what ships minus plain retrieval, paired by question."""
    pairs = zip(scored["pipeline"], scored["retrieval"], strict=True)
    gains = [
        ours.similarity - theirs.similarity
        for ours, theirs in pairs
        if ours.similarity is not None and theirs.similarity is not None
    ]
    return bootstrap_mean(gains, resamples=resamples, seed=seed) if gains else None


def speed_figures(timings: Sequence[Timing], *, resamples: int, seed: int) -> dict[str, Figure]:
    """Seconds to the first piece, tokens per second after it, and seconds per reply of what ships.

    Tokens per second leaves out the first token, whose time is the reading of the prompt.
    """
    streamed = [t for t in timings if t.first is not None]
    running = [t for t in streamed if t.rest and t.tokens and t.tokens > 1]
    figures: dict[str, Figure] = {}
    if streamed:
        figures["first_token_seconds"] = bootstrap_mean(
            [t.first or 0.0 for t in streamed], resamples=resamples, seed=seed
        )
    if running:
        tokens, seconds = [(t.tokens or 1) - 1.0 for t in running], [t.rest or 0.0 for t in running]
        figures["tokens_per_second"] = bootstrap_ratio(tokens, seconds, resamples=resamples, seed=seed)
    if timings:
        replies = [t.reply for t in timings]
        figures["reply_seconds"] = bootstrap_mean(replies, resamples=resamples, seed=seed)
    guarded = [t.guard for t in timings if t.guard is not None]
    if guarded:
        figures[GUARD] = bootstrap_mean(guarded, resamples=resamples, seed=seed)
    return figures


def _answered(
    example: Example, base: Completion, tuned: Completion, reply: Served, subjects: Subjects
) -> Answered:
    question = example.prompt.without_system()
    texts = {
        "base": base.text,
        "retrieval": subjects.retrieve(example.question),
        "tuned": tuned.text,
        "pipeline": reply.text,
        "vetted": example.answer,
    }
    by_people = {"retrieval", "vetted"} | ({"pipeline"} if reply.by_people else set())
    verdicts = {n: subjects.guard(text, question, by_people=n in by_people) for n, text in texts.items()}
    return Answered(
        id=example.id,
        topic=example.topic,
        locale=example.locale,
        question=example.question,
        base_ended=base.finish == "stop",
        tuned_ended=tuned.finish == "stop",
        source=reply.source,
        stopped={name: stopping_rules(v) for name, v in verdicts.items() if not v.allowed},
        **texts,
    )


def _time_guards(subjects: Subjects, question: str, reply: Served) -> float:
    """Seconds that screening a message and its reply takes, nothing remembered of either."""
    fresh = Conversation.of(f"{question} ")  # another text to the screen's memory, the same to its rules
    started = time.perf_counter()
    subjects.screen(fresh)
    subjects.guard(reply.text, fresh)
    return time.perf_counter() - started


def _time_stream(
    engine: Engine, conversation: Conversation, sampling: Sampling
) -> tuple[float | None, float | None]:
    """Seconds to the first piece and from there to the last; ``None`` when nothing comes."""
    started = time.perf_counter()
    first = None
    for _ in engine.stream(conversation, sampling):
        first = first if first is not None else time.perf_counter()
    if first is None:
        return None, None
    return first - started, time.perf_counter() - first


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: NDArray[np.float64] = wide / np.where(lengths > 0, lengths, 1.0)
    return unit
