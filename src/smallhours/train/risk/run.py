"""Train the risk head: our own text in, ``risk_head.npz`` and ``risk_head.json`` out.

Nothing is sampled: the same text and the same numpy give the same bytes. Regularisation, the weight of
words against vectors and all thresholds come from cross-validation in which whole styles are held
aside; the head that ships is then fitted on everything.

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
from threadpoolctl import threadpool_limits

from smallhours.domain.artifacts import hash_file, package_versions, write_aside
from smallhours.domain.messages import Conversation
from smallhours.domain.risk import RiskCategory
from smallhours.safety.classifier import Piece, Thresholds, Weights, grams, is_short, plain, readable
from smallhours.safety.pipeline import INPUT_DETECTORS, SafetyPipeline
from smallhours.semantics.vectors import Encoder, shared_vectors
from smallhours.train.risk.logistic import Flags, Floats, balanced, fit
from smallhours.train.risk.text import DATA, Line, folds, read_lines

TARGET = Path(__file__).parents[2] / "safety" / "data"
FILES = ("cases.jsonl", "ordinary.jsonl", "other.jsonl", "suicide.jsonl")
FOLDS = 5
SEED = 0  # nothing is drawn; kept so that the manifest says so
BUCKETS = 8192
PENALTIES = (0.5,)  # 1.5 was no better
WORD_SHARES = (0.3, 1.0)  # inner products of words against those of vectors
FALSE_ALARMS = 0.03  # of ordinary held-aside text, in each file by itself
GRAVE_ALARMS = 0.002  # of ordinary text called ``high``
GRAVE_TOO_MUCH = 0.05  # of ``elevated`` text called ``high``
PART_MARGIN = 0.6  # log-odds; less cost recall on messages as written, more on those inside a longer story
Z95 = 1.959963984540054

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that is computed once: texts as pieces, their vectors, products between whole texts."""

    lines: Sequence[Line]
    texts: Sequence[str]  # plain pieces, each once
    wholes: Sequence[int]  # for each line, where its text as one piece is
    parts: Sequence[Sequence[tuple[int, bool]]]  # for each line, all that detection would read; is it a part
    vectors: Floats
    near: Floats  # products of vectors of whole texts
    shared: Floats  # products of their words

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
    vectors = encoder.encode(texts).astype(np.float64)
    bags = np.zeros((len(lines), BUCKETS), dtype=np.float32)
    for row, place in enumerate(wholes):
        found = grams(texts[place], BUCKETS)
        bags[row, found] = 1.0 / math.sqrt(len(found))
    whole = vectors[wholes]
    return Material(lines, texts, wholes, parts, vectors, whole @ whole.T, (bags @ bags.T).astype(np.float64))


def fitted(
    material: Material, rows: Sequence[int], penalty: float, share: float, categories: bool = False
) -> Weights:
    """Weights from some of the lines."""
    at = np.array(rows)
    kernel = material.near[np.ix_(at, at)] + share * material.shared[np.ix_(at, at)] + 1.0
    duals = np.stack(
        [fit(kernel, truth[at], balanced(truth[at]), penalty) for truth in (material.crisis, material.grave)],
        axis=1,
    )
    words = np.zeros((BUCKETS, 2))
    for row, dual in zip(rows, duals, strict=True):
        found = grams(material.texts[material.wholes[row]], BUCKETS)
        words[found] += share * dual / math.sqrt(len(found))
    whole = material.vectors[[material.wholes[row] for row in rows]]
    kinds = _categories(material, rows, penalty) if categories else np.zeros((whole.shape[1] + 1, 1))
    return Weights(whole.T @ duals, words, duals.sum(axis=0), kinds, tuple(RiskCategory))


def _categories(material: Material, rows: Sequence[int], penalty: float) -> Floats:
    """One against the rest for each category, over the lines whose category is known."""
    known = [row for row in rows if material.lines[row].is_crisis and material.lines[row].category]
    at = np.array(known)
    kernel = material.near[np.ix_(at, at)] + 1.0
    whole = material.vectors[[material.wholes[row] for row in known]]
    found = np.zeros((whole.shape[1] + 1, len(RiskCategory)))
    for column, category in enumerate(RiskCategory):
        truth = np.array([material.lines[row].category is category for row in known])
        if truth.any():
            dual = fit(kernel, truth, balanced(truth), penalty)
            found[:, column] = [*(whole.T @ dual), dual.sum()]
        else:
            found[-1, column] = -30.0
    return found


def scored(material: Material, rows: Sequence[int], weights: Weights) -> Floats:
    """The worst scores, crisis and grave, of each of some lines, as detection takes them."""
    found = np.zeros((len(rows), 2))
    for number, row in enumerate(rows):
        read = [place for place, _ in material.parts[row]]
        less = np.array([PART_MARGIN * part for _, part in material.parts[row]])
        scores = weights.scores([material.texts[place] for place in read], material.vectors[read])
        found[number] = (scores - less[:, None]).max(axis=0)
    return found


def held_aside(material: Material, penalty: float, share: float) -> Floats:
    """Scores of each line by a head that saw nothing of its style."""
    fold = folds(material.lines, FOLDS)
    found = np.zeros((len(material.lines), 2))
    for number in range(FOLDS):
        rest = [row for row, at in enumerate(fold) if at != number]
        aside = [row for row, at in enumerate(fold) if at == number]
        found[aside] = scored(material, aside, fitted(material, rest, penalty, share))
    return found


def choose(lines: Sequence[Line], scores: Floats) -> Thresholds:
    """The lowest thresholds that keep the false alarms of held-aside text to what we allow."""
    crisis = np.array([line.is_crisis for line in lines])
    grave = np.array([line.is_grave for line in lines])
    source = np.array([line.style.split("/")[0] for line in lines])
    short = np.array([is_short(line.text) for line in lines])
    elevated = max(
        _above(scores[~crisis & (source == name), 0], FALSE_ALARMS) for name in sorted(set(source[~crisis]))
    )
    return Thresholds(
        elevated=elevated,
        high=max(
            _above(scores[~crisis, 1], GRAVE_ALARMS),
            _above(scores[crisis & ~grave, 1], GRAVE_TOO_MUCH) if (crisis & ~grave).any() else -math.inf,
        ),
        short=max(elevated, _above(scores[~crisis & short, 0], FALSE_ALARMS) if short.any() else elevated),
        part=PART_MARGIN,
    )


def _above(scores: Floats, share: float) -> float:
    """The lowest threshold that at most ``share`` of ``scores`` reach."""
    order = np.sort(scores)[::-1]
    allowed = math.floor(share * len(order))
    return round(float(order[min(allowed, len(order) - 1)]) + 1e-4, 4)


def wilson(hits: int, n: int) -> dict[str, float | int]:
    """A share with its 95 % score interval."""
    share, spread = hits / n, Z95**2 / n
    centre = (share + spread / 2) / (1 + spread)
    half = Z95 / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    ends = {"low": max(0.0, centre - half), "high": min(1.0, centre + half)}
    return {"value": round(share, 4), "n": n} | {name: round(end, 4) for name, end in ends.items()}


def figures(lines: Sequence[Line], scores: Floats, limits: Thresholds) -> dict[str, Any]:
    """Recall and false alarms of the rules, the head and both, by file; text held aside by style."""
    rules = SafetyPipeline({k: v for k, v in INPUT_DETECTORS.items() if k != "classifier"})
    by_rules = np.array([rules.screen_input(Conversation.of(line.text)).level.is_crisis for line in lines])
    short = np.array([is_short(line.text) for line in lines])
    by_head = scores[:, 0] >= np.where(short, limits.short, limits.elevated)
    high = by_head & (scores[:, 1] >= limits.high)
    crisis = np.array([line.is_crisis for line in lines])
    source = np.array([line.style.split("/")[0] for line in lines])
    ways = {"rules": by_rules, "head": by_head, "joined": by_rules | by_head, "head_high": high}
    found: dict[str, Any] = {}
    for name in sorted(set(source)):
        for what, which in (("recall", crisis), ("false_alarms", ~crisis)):
            rows = which & (source == name)
            if rows.any():
                found[f"{name}/{what}"] = {
                    way: wilson(int(hit[rows].sum()), int(rows.sum())) for way, hit in ways.items()
                }
    return found


def packed(weights: Weights) -> bytes:
    """The arrays as an npz in half precision whose bytes depend on nothing but their values."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("bias", "category", "vector", "words"):
            array = io.BytesIO()
            np.save(array, getattr(weights, name).astype(np.float16), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), array.getvalue(), zipfile.ZIP_DEFLATED)
    return held.getvalue()


def train(
    sources: Sequence[Path], target: Path, encoder: Encoder, say: Say, *, rules: bool = True
) -> Mapping[str, Any]:
    """Train on ``sources`` and write both files into ``target``; the manifest comes back."""
    lines = [line for path in sources for line in read_lines(path)]
    say(f"risk head: {len(lines)} lines, {sum(line.is_crisis for line in lines)} of them crises\n")
    material = prepare(lines, encoder)
    with threadpool_limits(limits=1):
        tried: list[tuple[float, float, float, Floats, Thresholds]] = []
        for penalty in PENALTIES:
            for share in WORD_SHARES:
                scores = held_aside(material, penalty, share)
                limits = choose(lines, scores)
                recall = float((scores[material.crisis, 0] >= limits.elevated).mean())
                say(f"  penalty {penalty}, words {share}: recall {recall:.3f} held aside\n")
                tried.append((recall, penalty, share, scores, limits))
        _, penalty, share, scores, limits = max(tried, key=lambda t: t[:3])
        weights = fitted(material, range(len(lines)), penalty, share, categories=True)
    manifest = {
        "inputs": {path.name: hash_file(path) for path in sources},
        "lines": len(lines),
        "crises": int(material.crisis.sum()),
        "seed": SEED,
        "folds": FOLDS,
        "penalty": penalty,
        "words": share,
        "categories": [category.value for category in RiskCategory],
        "thresholds": asdict(limits),
        "held_aside": figures(lines, scores, limits) if rules else {},
        "versions": {k: v for k, v in package_versions().items() if k.startswith(("numpy", "fast"))},
    }
    write_aside(target / "risk_head.npz", packed(weights))
    write_aside(target / "risk_head.json", (json.dumps(manifest, indent=1) + "\n").encode())
    return manifest


def main(arguments: Sequence[str], say: Say) -> None:
    """The command line: ``python -m smallhours.train.risk [--out FOLDER]``."""
    parser = argparse.ArgumentParser(prog="python -m smallhours.train.risk", description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET, help="where to write (default: the package)")
    target = parser.parse_args(arguments).out
    manifest = train([DATA / name for name in FILES], target, shared_vectors(), say)
    for name, row in manifest["held_aside"].items():
        told = ", ".join(
            f"{way} {f['value']:.3f} [{f['low']:.3f}, {f['high']:.3f}]" for way, f in row.items()
        )
        say(f"{name}: {told}\n")
    say(f"thresholds {manifest['thresholds']}; {(target / 'risk_head.npz').stat().st_size} bytes\n")
