"""The export stage: ``adapter/`` and a passing verdict in, ``package/`` out.

A package holds what serving needs beside the base: the adapter as GGUF, the vetted pairs with their
sentence vectors, and, in the manifest, how to talk to the model.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from smallhours.domain.artifacts import (
    Manifest,
    fingerprint,
    hash_json,
    is_current,
    require_manifest,
    staged_folder,
)
from smallhours.domain.errors import RefusedError
from smallhours.domain.ports import ModelIdentity
from smallhours.domain.records import Example, read_examples, write_examples
from smallhours.domain.settings import Settings
from smallhours.export.adapter_gguf import convert_adapter
from smallhours.export.served_base import served_gguf
from smallhours.llm.catalog import find_base
from smallhours.llm.loading import load_chat_format
from smallhours.semantics.pairs import pair_vectors
from smallhours.semantics.vectors import Encoder

STAGE = "export"
CODE_VERSION = 4
TARGETS = ("gguf", "peft")
WEIGHTS = "adapter_model.safetensors"


def weights_hash(run: Path) -> str:
    """SHA-256 of the adapter's weights: what a verdict speaks about."""
    return require_manifest(run / "adapter", "smallhours train").files[WEIGHTS]


def require_passing_verdict(run: Path) -> None:
    """Raises RefusedError unless there is a passing verdict about exactly these weights."""
    require_manifest(run / "evaluation", "smallhours evaluate")
    verdict = json.loads((run / "evaluation" / "verdict.json").read_text(encoding="utf-8"))
    if verdict["weights"] != weights_hash(run):
        raise RefusedError(
            f"{run}: the verdict is about other weights; run 'smallhours evaluate {run.name}' again"
        )
    if not verdict["pass"]:
        failed = ", ".join(line["name"] for line in verdict["lines"] if not line["pass"])
        raise RefusedError(
            f"{run}: the gate says no ({failed}). Nothing was exported; "
            f"the reasons are in {run / 'evaluation' / 'report.html'}"
        )


def export_package(
    settings: Settings,
    encoder: Encoder,
    announce: Callable[[str], None],
    targets: tuple[str, ...] = ("gguf",),
    *,
    card: str = "",
    unsafe: bool = False,
) -> Manifest:
    """Write ``package/``; do nothing if it is there and its inputs did not change.

    ``card`` becomes the package's README. ``unsafe`` exports whatever the gate says, and the manifest tells.

    Raises:
        RefusedError: no passing verdict for these weights.
        RunError: an earlier stage is missing or damaged.
    """
    run = settings.run_folder
    if not unsafe:
        require_passing_verdict(run)
    base = find_base(settings.base)
    dataset = require_manifest(run / "dataset", "smallhours corpus build")
    adapter = require_manifest(run / "adapter", "smallhours train")
    target = run / "package"
    inputs = {
        "adapter": adapter.files[WEIGHTS],
        "pairs": dataset.files["pairs.jsonl"],
        "vetted": dataset.files["vetted.jsonl"],
        "base": base.identity(),
        "code": f"{STAGE}-{CODE_VERSION}",
        "card": hash_json(card),
    }
    config: dict[str, Any] = {
        "base": base.name,
        "chat_format": load_chat_format(base).described(),
        "system_prompt": adapter.config["system_prompt"],
        "targets": sorted({"gguf", *targets}),
        "gate": "skipped" if unsafe else "passed",
    }
    if is_current(target, fingerprint(STAGE, inputs, config, settings.seed)):
        announce("package: up to date")
        return require_manifest(target, "smallhours export")
    figures: dict[str, Any] = {}
    with staged_folder(
        target, stage=STAGE, inputs=inputs, config=config, seed=settings.seed, figures=figures
    ) as folder:
        weights = served_gguf(base.name, inputs["base"])
        figures["adapter_tensors"] = convert_adapter(run / "adapter", weights, folder / "adapter.gguf")
        known = [*read_examples(run / "dataset" / "pairs.jsonl"), *_more_vetted(run / "dataset")]
        pairs = [pair for pair in known if pair.stands_alone]
        write_examples(folder / "pairs.jsonl", pairs)
        np.save(folder / "pairs.npy", pair_vectors(pairs, encoder))
        if card:
            (folder / "README.md").write_text(card, encoding="utf-8")
        if "peft" in targets:
            (folder / "peft").mkdir()
            for name in (WEIGHTS, "adapter_config.json"):
                shutil.copy(run / "adapter" / name, folder / "peft" / name)
    announce(f"package: {target}")
    return require_manifest(target, "smallhours export")


def _more_vetted(dataset: Path) -> list[Example]:
    path = dataset / "vetted.jsonl"
    return read_examples(path) if path.stat().st_size else []


def package_identity(manifest: Manifest) -> ModelIdentity:
    """Which weights a package answers with."""
    return ModelIdentity(base=manifest.inputs["base"], adapter=manifest.inputs["adapter"])
