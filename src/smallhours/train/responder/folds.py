"""Repeated grouped k-fold: how far the held-out figure depends on which pairs were held out.

Each fold trains an adapter of its own on the other folds; groups of similar answers are never torn apart.
What decides when to stop comes out of the training side, so that the held-out fold is looked at once.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from smallhours.domain.artifacts import (
    Manifest,
    fingerprint,
    is_current,
    require_manifest,
    staged_folder,
    write_aside,
)
from smallhours.domain.errors import DataError
from smallhours.domain.records import read_examples
from smallhours.domain.settings import Settings
from smallhours.llm.catalog import find_base
from smallhours.train.responder.chart import draw_folds
from smallhours.train.responder.checkpoint import CheckpointFile
from smallhours.train.responder.fit import Announce, fit
from smallhours.train.responder.fold_split import Fold, make_folds
from smallhours.train.responder.inputs import encode_sets
from smallhours.train.responder.loop import Event
from smallhours.train.responder.run import cautions, checkpoint_identity, stage_inputs

STAGE = "folds"


@dataclass(frozen=True)
class Interval:
    """A mean over folds with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


def mean_interval(values: Sequence[float], held_out_over_train: float) -> Interval:
    """Student's interval with the variance corrected for training sets that overlap.

    Nadeau, Bengio 2003 ("Inference for the Generalization Error"), section 3: the variance of a mean over
    J folds is taken as ``(1/J + n_test/n_train) s²``, since ``s²/J`` holds for independent folds only.
    """
    from scipy.stats import t

    n, mean = len(values), sum(values) / len(values)
    if n < 2:
        return Interval(mean, mean, mean, n)
    variance = sum((value - mean) ** 2 for value in values) / (n - 1)
    half = float(t.ppf(0.975, n - 1)) * math.sqrt((1 / n + held_out_over_train) * variance)
    return Interval(mean, mean - half, mean + half, n)


def train_folds(
    settings: Settings, folds: int, repeats: int, report: Callable[[Event], None], announce: Announce
) -> Manifest:
    """Write ``folds/``; a finished fold is not trained again, an interrupted one goes on.

    Raises:
        RunError: the dataset is missing or from another version.
        DataError: too few groups, or what :func:`~smallhours.train.responder.run.train_adapter` raises.
    """
    run = settings.run_folder
    inputs, config = stage_inputs(settings, require_manifest(run / "dataset", "smallhours corpus build"))
    share, most = settings.corpus.validation_share, settings.corpus.most_validation
    config = {
        **config, "folds": folds, "repeats": repeats, "validation_share": share, "most_validation": most,
    }  # fmt: skip
    wanted, target = fingerprint(STAGE, inputs, config, settings.seed), run / "folds"
    again = f"smallhours train {settings.name} --folds {folds}"
    if is_current(target, wanted):
        announce("folds: up to date")
        return require_manifest(target, again)
    examples = [e for name in ("train", "validation") for e in read_examples(run / f"dataset/{name}.jsonl")]
    made = make_folds(examples, folds, repeats, share, most, settings.seed)
    cautions(settings, announce)
    work, identity = run / "folds.unfinished", checkpoint_identity(wanted)
    results = [_finished(fold, settings, work, identity, report, announce) for fold in made]
    figures = summarize(results)
    with staged_folder(
        target, stage=STAGE, inputs=inputs, config=config, seed=settings.seed, figures=figures
    ) as folder:
        found = {
            "summary": figures, "settings": config, "seed": settings.seed, "inputs": inputs, "folds": results,
        }  # fmt: skip
        (folder / "folds.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        draw_folds(results, folder / "folds.png")
    shutil.rmtree(work)
    return require_manifest(target, again)


def summarize(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means over folds: held-out loss before, after, and by how much it fell, each with its interval."""
    held_out = sum(one["held_out"] for one in results)
    ratio = held_out / sum(one["train"] for one in results)
    before = [one["held_out_loss_before"] for one in results]
    after = [one["held_out_loss_after"] for one in results]
    return {
        "held_out_loss_before": asdict(mean_interval(before, ratio)),
        "held_out_loss_after": asdict(mean_interval(after, ratio)),
        "held_out_loss_reduction": asdict(
            mean_interval([b - a for b, a in zip(before, after, strict=True)], ratio)
        ),
        "seconds": sum(one["seconds"] for one in results),
        "peak_memory_bytes": max(one["peak_memory_bytes"] for one in results),
    }


def _finished(
    fold: Fold,
    settings: Settings,
    work: Path,
    identity: str,
    report: Callable[[Event], None],
    announce: Announce,
) -> dict[str, Any]:
    """The figures of one fold, from an earlier run that was interrupted or from training it now."""
    path = work / f"{fold.name}.json"
    known = _read(path, identity)
    if known is not None:
        announce(f"fold {fold.name}: done before")
        return known
    base = find_base(settings.base)
    sets = encode_sets(base, settings.train, fold.train, fold.validation, fold.held_out)
    if not sets.held_out:
        raise DataError(f"fold {fold.name}: holds out no answer of weight 1; lower --folds")
    checkpoint = CheckpointFile(
        work / f"{fold.name}.checkpoint",
        f"{identity}/{fold.name}",
        settings.train.checkpoint_every,
        announce,
    )
    announce(f"fold {fold.name}: {len(sets.train)} train, {len(sets.held_out)} held out")
    fitted = fit(
        base, settings.train, settings.seed, sets, checkpoint, lambda event, rows: report(event), announce
    )
    result = {
        "repeat": fold.repeat,
        "fold": fold.number,
        "train": len(sets.train),
        "validation": len(sets.validation),
        "held_out": len(sets.held_out),
        "held_out_groups": sorted({example.group or example.id for example in fold.held_out}),
        "held_out_loss_before": fitted.held_out_before,
        "held_out_loss_after": fitted.held_out_after,
        **fitted.figures,
    }
    write_aside(path, json.dumps({"identity": identity, "result": result}).encode())
    checkpoint.remove()
    return result


def _read(path: Path, identity: str) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return dict(found["result"]) if found["identity"] == identity else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
