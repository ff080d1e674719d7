"""How much text a training goes through: counted from token ids, or estimated from characters."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from smallhours.domain.records import Example
from smallhours.domain.settings import CorpusSettings
from smallhours.llm.answer_loss import ROW_STEP, Encoded
from smallhours.llm.chat_format import ChatFormat

# Characters per token of the embedded base's tokenizer, over the built-in pairs as they are rendered
# (docs/log.md): English, other languages in Latin letters, other scripts. Larger vocabularies need fewer.
CHARACTERS_PER_TOKEN = {"english": 4.6, "latin": 2.8, "other": 1.0}
# Lengths of a larger data set are estimated from this many of its pairs.
SAMPLE = 2000


class Steps(Protocol):
    """The part of the loop's plan that counts."""

    @property
    def total_steps(self) -> int: ...
    @property
    def validate_every(self) -> int: ...


@dataclass(frozen=True)
class Length:
    """Tokens of one rendered example, of its answers, and of the system turn that it begins with."""

    tokens: float
    answer_tokens: float
    prefix: float = 0.0


@dataclass(frozen=True)
class Workload:
    """What a training goes through.

    Attributes:
        steps: optimizer steps at most; ``batch`` examples each.
        looks: at the ``held_out`` examples, besides the one before the first step.
        tokens: mean tokens of an example, of which ``answer_tokens`` carry loss and ``prefix`` are shared.
        longest: tokens of the longest example; the memory must hold a batch of such.
        shapes: different numbers of rows that a packed batch may have.
    """

    steps: int
    batch: int
    looks: int
    held_out: int
    tokens: float
    answer_tokens: float
    longest: int
    prefix: float
    shapes: int


def workload_of(lengths: Sequence[Length], held_out: int, steps: Steps, batch: int) -> Workload:
    """From the lengths of the training examples, or of a fair sample of them; there must be one."""
    total = steps.total_steps
    return Workload(
        steps=total,
        batch=batch,
        looks=-(-total // steps.validate_every),
        held_out=held_out,
        tokens=fmean(one.tokens for one in lengths),
        answer_tokens=fmean(one.answer_tokens for one in lengths),
        longest=round(max(one.tokens for one in lengths)),
        prefix=min(one.prefix for one in lengths),
        shapes=min(total, len({math.ceil(batch * one.tokens / ROW_STEP) for one in lengths})),
    )


def counted_lengths(examples: Sequence[Encoded]) -> list[Length]:
    """Of encoded examples; the prefix is what all of them begin with."""
    first, last = min(one.ids for one in examples), max(one.ids for one in examples)
    different = (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    prefix = next(different, min(len(first), len(last))) if len(examples) > 1 else 0
    return [Length(len(one.ids), sum(one.learnt), prefix) for one in examples]


def split_sizes(pairs: int, corpus: CorpusSettings) -> tuple[int, int]:
    """About how many training and validation examples the corpus stage makes of ``pairs`` pairs."""
    validation = max(1, min(round(corpus.validation_share * pairs), corpus.most_validation))
    test = max(1, min(round(corpus.test_share * pairs), corpus.most_test))
    return max(1, pairs - validation - test) * corpus.expansion, validation


def estimated_lengths(pairs: Sequence[Example], form: ChatFormat, system_prompt: str) -> list[Length]:
    """Estimates for at most ``SAMPLE`` of the pairs, drawn at random with a fixed seed."""
    drawn = random.Random(0).sample(pairs, SAMPLE) if len(pairs) > SAMPLE else pairs
    return [_estimate(pair, form, system_prompt) for pair in drawn]


def _estimate(pair: Example, form: ChatFormat, system_prompt: str) -> Length:
    per_token = characters_per_token(pair)
    prompt = len(system_prompt) / CHARACTERS_PER_TOKEN["english"] if form.system else 0.0
    tokens, answers = prompt, 0.0
    for segment in form.segments(pair.messages, ""):
        size = len(segment.text) / per_token
        tokens += size
        answers += size if segment.learnt else 0.0
    return Length(tokens, answers, prompt)


def characters_per_token(pair: Example) -> float:
    """By the pair's language and letters."""
    if pair.language == "en":
        return CHARACTERS_PER_TOKEN["english"]
    text = "".join(message.content for message in pair.messages)
    latin = sum(letter < "ɐ" for letter in text) > 0.8 * len(text)  # U+0250, where Latin letters end
    return CHARACTERS_PER_TOKEN["latin" if latin else "other"]
