"""The export stage: ``adapter/`` and a passing verdict in, ``package/`` out.

A package holds what serving needs beside the base: the adapter as GGUF, the vetted pairs with their
sentence vectors, and, in the manifest, how to talk to the model. Beside them stand the targets that were
asked for, one folder each. Each is proved to be the model that was evaluated before it is kept.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from smallhours.domain.artifacts import (
    Manifest,
    fingerprint,
    hash_json,
    is_current,
    read_manifest,
    require_manifest,
    staged_folder,
)
from smallhours.domain.errors import RefusedError, SmallhoursError
from smallhours.domain.ports import ModelIdentity
from smallhours.domain.records import Example, read_examples, write_examples
from smallhours.domain.settings import Settings
from smallhours.export.adapter_gguf import convert_adapter
from smallhours.export.parity.probe import Exported
from smallhours.export.prover import Prover
from smallhours.export.served_base import served_gguf
from smallhours.export.source import WEIGHTS, Source
from smallhours.export.targets import TARGETS, link_or_copy, write_target
from smallhours.semantics.pairs import pair_vectors
from smallhours.semantics.vectors import Encoder

STAGE = "export"
CODE_VERSION = 5
ADAPTER = "adapter.gguf"


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
    targets: tuple[str, ...] = (),
    *,
    card: str = "",
    unsafe: bool = False,
) -> Manifest:
    """Write ``package/``: what serving needs, and the ``targets`` that are asked for.

    Targets that are there already stay, and nothing is done if no input changed. A target that is refused is
    left out; the others are written.

    ``card`` becomes the package's README. ``unsafe`` exports whatever the gate says, and the manifest tells.

    Raises:
        RefusedError: no passing verdict for exactly these weights, or a target that is another model than the
            one that was evaluated.
        RunError: an earlier stage is missing or damaged, or a target has no form for this base.
    """
    run, target = settings.run_folder, settings.run_folder / "package"
    if not unsafe:
        require_passing_verdict(run)
    source = Source.of(settings)
    inputs = {**source.inputs, "code": f"{STAGE}-{CODE_VERSION}", "card": hash_json(card)}
    config = {**source.described(), "gate": "skipped" if unsafe else "passed"}
    current = is_current(target, fingerprint(STAGE, inputs, config, settings.seed))
    kept = read_manifest(target) if current else None
    missing = [name for name in targets if kept is None or name not in kept.figures["parity"]]
    if kept is not None and not missing:
        announce("package: up to date")
        return kept
    figures = dict(kept.figures) if kept else {"parity": {}}
    with staged_folder(
        target, stage=STAGE, inputs=inputs, config=config, seed=settings.seed, figures=figures
    ) as folder:
        work = _Work(source, run / "dataset", folder, figures, announce)
        if kept is None:
            work.write_core(encoder)
            if card:
                (folder / "README.md").write_text(card, encoding="utf-8")
        else:
            shutil.copytree(target, folder, dirs_exist_ok=True, copy_function=link_or_copy)
        for name in missing:
            work.add(name)
    announce(f"package: {target}")
    if len(work.refused) == 1:
        raise work.refused[0]
    if work.refused:
        raise RefusedError("\n".join(map(str, work.refused)))
    return require_manifest(target, "smallhours export")


@dataclass
class _Work:
    """A package while it is written. ``refused`` collects why targets were left out."""

    source: Source
    dataset: Path
    folder: Path
    figures: dict[str, Any]
    announce: Callable[[str], None]
    refused: list[SmallhoursError] = field(default_factory=list)

    def __post_init__(self) -> None:
        others = [
            *read_examples(self.dataset / "validation.jsonl"),
            *read_examples(self.dataset / "train.jsonl"),
        ]
        held_out = read_examples(self.dataset / "test.jsonl")
        self._prover = Prover(self.source, held_out, [e for e in others if e.parent is None])

    def write_core(self, encoder: Encoder) -> None:
        """What serving needs: the adapter for llama.cpp, proved, and the vetted pairs."""
        source, adapter = self.source, self.folder / ADAPTER
        weights = served_gguf(source.base.name, source.inputs["base"])
        self.figures["adapter_tensors"] = convert_adapter(source.adapter, weights, adapter)

        def load(context: int) -> Exported:
            from smallhours.export.parity.in_llamacpp import InLlamaCpp

            return InLlamaCpp(
                weights, adapter, lambda c: source.form.prompt(c, source.system_prompt), context
            )

        self._prove(ADAPTER, load)
        known = [*read_examples(self.dataset / "pairs.jsonl"), *_more_vetted(self.dataset)]
        pairs = [pair for pair in known if pair.stands_alone]
        write_examples(self.folder / "pairs.jsonl", pairs)
        np.save(self.folder / "pairs.npy", pair_vectors(pairs, encoder))

    def add(self, name: str) -> None:
        """Write a target, prove it, and take it away again if it is refused."""
        made = self.folder / name
        try:
            write_target(name, self.source, made)
            self._prove(name, lambda context: TARGETS[name].load(self.source, made, context))
        except SmallhoursError as error:
            shutil.rmtree(made, ignore_errors=True)
            self.refused.append(error)

    def _prove(self, name: str, load: Callable[[int], Exported]) -> None:
        found = self._prover.prove(name, load)
        self.figures["parity"][name] = found.model_dump()
        self.announce(
            f"{name}: as evaluated ({found.same_prompts} of {found.prompts} prompts, {found.agreed} of "
            f"{found.tokens} greedy tokens, held-out loss {found.loss_change:+.4f} nats per token)"
        )


def _more_vetted(dataset: Path) -> list[Example]:
    path = dataset / "vetted.jsonl"
    return read_examples(path) if path.stat().st_size else []


def package_identity(manifest: Manifest) -> ModelIdentity:
    """Which weights a package answers with."""
    return ModelIdentity(base=manifest.inputs["base"], adapter=manifest.inputs["adapter"])
