"""Learn the risk head: support vector machines over sentence vectors and letters.

Nothing is sampled: the same text, the same numpy and the same scikit-learn give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from smallhours.domain.risk import RiskCategory
from smallhours.safety.classifier import Floats, Weights, nearness
from smallhours.safety.pieces import Piece, grams, is_short, plain, readable
from smallhours.semantics.vectors import Encoder
from smallhours.train.risk.text import Flags, Line, folds

FOLDS = 5
BUCKETS = 16_384
KEPT = 192  # of the encoder's dimensions
# docs/log.md has what was tried beside these.
GAMMA = 2.0  # width of the kernel over sentence vectors
LETTERS = 0.3  # weight of shared letters against shared meaning
COST = 3.0  # of a line on the wrong side
PART_MARGIN = 0.3  # of the distance to the margin; a sentence torn from its story needs so much more
UNREAD = -9.0  # the score of a message too short for the head
BLOCK = 4096  # pieces scored at a time

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that is computed once: texts as pieces, their vectors, products between whole texts."""

    lines: Sequence[Line]
    texts: Sequence[str]  # plain pieces, each once
    wholes: Sequence[int]  # for each line, where its text as one piece is
    parts: Sequence[Sequence[tuple[int, bool]]]  # for each line, all that detection would read; is it a part
    centre: Floats
    axes: Floats
    points: Floats  # the pieces' vectors in ``KEPT`` dimensions
    bags: Floats  # the letters of whole texts
    kernel: Floats  # between whole texts

    @property
    def crisis(self) -> Flags:
        """Which lines the head should find."""
        return np.array([line.is_crisis for line in self.lines])

    @property
    def grave(self) -> Flags:
        """Which lines may be called ``high``."""
        return np.array([line.is_grave for line in self.lines])


def prepare(lines: Sequence[Line], encoder: Encoder) -> Material:
    """Read each line as detection would, and encode each piece once."""
    places: dict[str, int] = {}
    wholes, parts = [], []
    for line in lines:
        wholes.append(places.setdefault(plain(line.text), len(places)))
        read = readable(line.text) or {plain(line.text): Piece(0, len(line.text), False)}
        parts.append([(places.setdefault(said, len(places)), piece.part) for said, piece in read.items()])
    texts = list(places)
    vectors = encoder.encode(texts)
    centre, axes = _axes(vectors[wholes])
    points = (vectors - centre) @ axes
    bags = np.zeros((len(lines), BUCKETS), dtype=np.float32)
    for row, place in enumerate(wholes):
        found = grams(texts[place], BUCKETS)
        bags[row, found] = 1.0 / math.sqrt(max(1, len(found)))
    whole = points[wholes].astype(np.float64)
    kernel = nearness(whole, whole, GAMMA) + LETTERS * (bags @ bags.T)
    return Material(lines, texts, wholes, parts, centre, axes, points, bags, kernel)


def _axes(vectors: Floats) -> tuple[Floats, Floats]:
    """The mean, and the directions in which vectors differ most (principal components, signs settled)."""
    centre = vectors.mean(axis=0)
    turned = np.linalg.eigh(np.cov(vectors - centre, rowvar=False).astype(np.float64))[1]
    axes = turned[:, ::-1][:, :KEPT]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return centre.astype(np.float32), axes.astype(np.float32)


def fitted(material: Material, rows: Sequence[int], categories: bool = False) -> Weights:
    """Weights from some of the lines."""
    from sklearn.svm import SVC

    at = np.array(rows)
    duals, bias = np.zeros((len(at), 2)), np.zeros(2)
    for column, truth in enumerate((material.crisis[at], material.grave[at])):
        machine = SVC(C=COST, kernel="precomputed", class_weight="balanced", cache_size=500)
        machine.fit(material.kernel[np.ix_(at, at)], truth)
        duals[machine.support_, column] = machine.dual_coef_[0]
        bias[column] = machine.intercept_[0]
    used = np.flatnonzero(duals.any(axis=1))
    whole = material.points[[material.wholes[row] for row in at]]
    width = material.axes.shape[1]
    return Weights(
        centre=material.centre,
        axes=material.axes,
        support=whole[used],
        duals=duals[used],
        letters=LETTERS * (material.bags[at[used]].T @ duals[used]),
        bias=bias,
        category=_categories(material, rows) if categories else np.zeros((width + 1, 1)),
        categories=tuple(RiskCategory),
        gamma=GAMMA,
    )


def _categories(material: Material, rows: Sequence[int]) -> Floats:
    """One against the rest for each category, over the lines whose category is known."""
    from sklearn.linear_model import LogisticRegression

    known = [row for row in rows if material.lines[row].is_crisis and material.lines[row].category]
    points = material.points[[material.wholes[row] for row in known]]
    found = np.zeros((points.shape[1] + 1, len(RiskCategory)))
    for column, category in enumerate(RiskCategory):
        truth = np.array([material.lines[row].category is category for row in known])
        if truth.any() and not truth.all():
            machine = LogisticRegression(C=5.0, class_weight="balanced", max_iter=500).fit(points, truth)
            found[:, column] = [*machine.coef_[0], machine.intercept_[0]]
        else:
            found[-1, column] = 30.0 if truth.any() else -30.0
    return found


def scored(material: Material, rows: Sequence[int], weights: Weights) -> Floats:
    """The worst scores, crisis and grave, of each of some lines, as detection takes them."""
    read = sorted({place for row in rows for place, _ in material.parts[row]})
    number = {place: at for at, place in enumerate(read)}
    scores = np.concatenate(
        [
            weights.scores([material.texts[p] for p in block], material.points[block])
            for block in (read[start : start + BLOCK] for start in range(0, len(read), BLOCK))
        ]
    )
    found = np.zeros((len(rows), 2))
    for at, row in enumerate(rows):
        if is_short(material.lines[row].text):
            found[at] = UNREAD
            continue
        own = scores[[number[place] for place, _ in material.parts[row]]]
        less = np.array([PART_MARGIN * part for _, part in material.parts[row]])
        found[at] = (own - less[:, None]).max(axis=0)
    return found


def held_aside(material: Material, say: Say) -> Floats:
    """Scores of each line by a head that saw nothing of its style."""
    fold = folds(material.lines, FOLDS)
    found = np.zeros((len(material.lines), 2))
    for number in range(FOLDS):
        rest = [row for row, at in enumerate(fold) if at != number]
        aside = [row for row, at in enumerate(fold) if at == number]
        found[aside] = scored(material, aside, fitted(material, rest))
        say(f"  fold {number + 1} of {FOLDS}\n")
    return found
