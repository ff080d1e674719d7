"""The learned risk head: sentence vectors, a support vector machine, and a level for what it finds.

It reads a message at several granularities (the whole, each sentence, parts of long sentences) and takes
the worst, so that one sentence inside a long story can be found; it must then score higher, because what
stands around a sentence often explains it. The
weights come from ``python -m smallhours.train.risk``; ``risk_head.json`` beside them says what they
were trained on and how well they do.

Not seen: messages of one or two words, the middle of one longer than about 12,000 characters (the rules read
all of both), wordings
far from anything in the training text, and most of what is said in languages that the encoder does not know
(Hindi and Indonesian among ours), of which it reads the letters only. It adds to the rules and replaces
none of them.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smallhours.domain.risk import Finding, RiskCategory, RiskLevel
from smallhours.safety.evidence import HEAD
from smallhours.safety.pieces import Piece, Span, grams, is_short, readable
from smallhours.semantics.vectors import Encoder, shared_vectors

Floats = NDArray[np.floating[Any]]

RULE = "learned"

_TOGETHER = 128  # pieces scored at a time: with as many support texts as the head has, 4 MB


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From these scores on a message counts; ``high`` is never easier to reach than ``elevated``.

    ``part``: what a sentence must score beyond that, because it lacks what stands around it.
    """

    elevated: float
    high: float
    part: float


def nearness(points: Floats, others: Floats, gamma: float, squares: Floats | None = None) -> Floats:
    """``exp(-gamma |x - y|^2)`` for each of ``points`` (n, k) and ``others`` (m, k), shape (n, m).

    ``squares``, shape (m,), are the squared lengths of ``others``, where they are known already.
    """
    if squares is None:
        squares = squared_lengths(others)
    near: Floats = 2 * points @ others.T
    np.subtract(squared_lengths(points)[:, None] + squares[None, :], near, out=near)
    np.maximum(near, 0.0, out=near)
    near *= -gamma
    return np.exp(near, out=near)


def squared_lengths(rows: Floats) -> Floats:
    """``|x|^2`` of each of ``rows`` (n, k), shape (n,)."""
    found: Floats = (rows**2).sum(axis=1)
    return found


@dataclass(frozen=True, slots=True)
class Weights:
    """Two scores (crisis, grave) from nearness to training texts and from letters, one per category.

    Nearness is a Gaussian kernel, ``exp(-gamma |x - s|^2)``, over sentence vectors that ``centre`` and
    ``axes`` bring down to their ``k`` most telling dimensions.
    """

    centre: Floats  # (dimensions,)
    axes: Floats  # (dimensions, k)
    support: Floats  # (n, k), training texts that matter
    duals: Floats  # (n, 2), for or against
    letters: Floats  # (buckets, 2), already scaled
    bias: Floats  # (2,)
    category: Floats  # (k + 1, categories), the last row is the bias
    categories: tuple[RiskCategory, ...]
    gamma: float
    squares: Floats = field(init=False)  # (n,), squared lengths of ``support``

    def __post_init__(self) -> None:
        object.__setattr__(self, "squares", squared_lengths(self.support))

    def reduced(self, vectors: Floats) -> Floats:
        """Sentence vectors, shape (n, dimensions), in ``k`` dimensions."""
        found: Floats = (vectors - self.centre) @ self.axes
        return found

    def scores(self, texts: Sequence[str], points: Floats) -> Floats:
        """``(n, 2)`` margins for plain texts and their reduced vectors."""
        near = nearness(points, self.support, self.gamma, self.squares)
        buckets = [grams(text, len(self.letters)) for text in texts]
        said = [self.letters[found].sum(axis=0) / math.sqrt(max(1, len(found))) for found in buckets]
        total: Floats = near @ self.duals + np.reshape(said, (len(texts), 2)) + self.bias
        return total

    def likeliest(self, point: Floats) -> RiskCategory:
        """The category that one reduced vector is nearest to."""
        scores = point @ self.category[:-1] + self.category[-1]
        return self.categories[int(scores.argmax())]


class RiskHead:
    """The weights and thresholds, applied. Safe to share between threads."""

    def __init__(self, weights: Weights, thresholds: Thresholds, encoder: Encoder) -> None:
        self._weights, self._thresholds, self._encoder = weights, thresholds, encoder

    def detect(self, text: str) -> list[Finding]:
        """One finding, where the text speaks most of a crisis; with its score also where that is ``none``.

        No finding where there is nothing to read.
        """
        return self.detect_many([text])[0]

    def detect_many(self, texts: Sequence[str]) -> list[list[Finding]]:
        """The same for each of many texts, whose pieces are encoded and scored together."""
        return [
            self._found(text, own, points, scores) if own else []
            for text, (own, points, scores) in zip(texts, self._scored(texts), strict=True)
        ]

    def scores(self, texts: Sequence[str]) -> list[float | None]:
        """How far each text lies above, or below zero under, the threshold from which it is a crisis;
        ``None`` for one that is too short to be read.
        """
        return [
            float(self._penalized(own, scores)[:, 0].max()) - self._thresholds.elevated if own else None
            for own, _, scores in self._scored(texts)
        ]

    def _scored(self, texts: Sequence[str]) -> list[tuple[Mapping[str, Piece], Floats, Floats]]:
        """The pieces of each text with their reduced vectors and margins; nothing for what is not read."""
        read = [{} if is_short(text) else readable(text) for text in texts]
        said = list(dict.fromkeys(chain.from_iterable(read)))
        if not said:
            return [({}, np.empty(0), np.empty(0)) for _ in texts]
        points = self._weights.reduced(self._encoder.encode(said))
        blocks = range(0, len(said), _TOGETHER)
        scores = np.concatenate(
            [self._weights.scores(said[at : at + _TOGETHER], points[at : at + _TOGETHER]) for at in blocks]
        )
        row = {piece: number for number, piece in enumerate(said)}
        rows = [[row[piece] for piece in own] for own in read]
        return [(own, points[places], scores[places]) for own, places in zip(read, rows, strict=True)]

    def _penalized(self, read: Mapping[str, Piece], margins: Floats) -> Floats:
        """What stands alone must score higher, because it lacks what stands around it."""
        parts = np.array([piece.part for piece in read.values()])
        lowered: Floats = margins - self._thresholds.part * parts[:, None]
        return lowered

    def _found(self, text: str, read: Mapping[str, Piece], points: Floats, margins: Floats) -> list[Finding]:
        scores = self._penalized(read, margins)
        worst = int(scores[:, 0].argmax())
        crisis = float(scores[worst, 0])
        piece = list(read.values())[worst]
        return [
            Finding(
                detector=HEAD,
                rule=RULE,
                category=self._weights.likeliest(points[worst]),
                level=self._level(crisis, float(scores[:, 1].max())),
                span=_trimmed(text, (piece.start, piece.end)),
                score=round(crisis, 3),
            )
        ]

    def _level(self, crisis: float, grave: float) -> RiskLevel:
        if crisis < self._thresholds.elevated:
            return RiskLevel.NONE
        return RiskLevel.HIGH if grave >= self._thresholds.high else RiskLevel.ELEVATED


def _trimmed(text: str, span: Span) -> Span:
    inside = text[slice(*span)]
    start = span[0] + len(inside) - len(inside.lstrip())
    return (start, start + len(inside.strip()))


def read_head(weights: bytes, manifest: str) -> tuple[Weights, Thresholds]:
    """A head as ``train.risk`` wrote it: half precision, the support texts in whole numbers and a scale."""
    about: Mapping[str, Any] = json.loads(manifest)
    with np.load(io.BytesIO(weights), allow_pickle=False) as arrays:
        held = {name: arrays[name].astype(np.float32) for name in arrays.files}
    # By columns: a few points against all of it, as one message needs, then take a third of the time.
    held["support"] = np.asfortranarray(held["support"] * held.pop("scale")[:, None])
    return (
        Weights(
            **held,
            categories=tuple(RiskCategory(name) for name in about["categories"]),
            gamma=float(about["gamma"]),
        ),
        Thresholds(**about["thresholds"]),
    )


@cache
def risk_head() -> RiskHead:
    """The head that ships with the package, read when the first text comes."""
    data = files("smallhours.safety") / "data"
    weights, thresholds = read_head(
        (data / "risk_head.npz").read_bytes(), (data / "risk_head.json").read_text("utf-8")
    )
    return RiskHead(weights, thresholds, shared_vectors())


def detect(text: str) -> list[Finding]:
    """What the shipped head finds in one message."""
    return risk_head().detect(text)


def detect_many(texts: Sequence[str]) -> list[list[Finding]]:
    """What it finds in each of many messages, in less time than one by one."""
    return risk_head().detect_many(texts)
