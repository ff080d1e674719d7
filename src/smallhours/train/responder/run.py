"""The training stage: ``dataset/`` in, ``adapter/`` out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from smallhours.domain.artifacts import (
    Manifest,
    fingerprint,
    hash_json,
    is_current,
    package_versions,
    read_manifest,
    require_manifest,
    staged_folder,
)
from smallhours.domain.records import read_examples
from smallhours.domain.settings import Settings
from smallhours.llm.base import TEMPLATE
from smallhours.llm.catalog import find_base
from smallhours.llm.checks import require_memory
from smallhours.llm.loading import load_chat_format
from smallhours.llm.machine import free_memory
from smallhours.train.planner import foresee
from smallhours.train.responder.chart import draw_loss
from smallhours.train.responder.checkpoint import CheckpointFile
from smallhours.train.responder.fit import Announce, Watch, fit, make_plan
from smallhours.train.responder.inputs import encode_sets
from smallhours.train.responder.loop import Event, Validation
from smallhours.train.responder.lora import save_adapter
from smallhours.train.responder.processes import require_same, sharded, together
from smallhours.train.responder.tensorboard import EventFiles, summary_writer

STAGE = "train"
# Raise when the same inputs would give another adapter.
CODE_VERSION = 3
# Settings that change how one watches and what an interruption costs, never the adapter.
NOT_SHAPING = frozenset({"checkpoint_every", "tensorboard"})
# Packages whose other version may compute other last bits: no checkpoint goes from one to the next.
COMPUTING = ("torch", "transformers", "peft", "bitsandbytes")

Report = Callable[[Event], None]


def stage_inputs(settings: Settings, dataset: Manifest) -> tuple[dict[str, str], dict[str, Any]]:
    """What the adapter depends on: hashes by name, and the settings that shape it."""
    base = find_base(settings.base)
    inputs = {
        "dataset/train": dataset.files["train.jsonl"],
        "dataset/validation": dataset.files["validation.jsonl"],
        "base": base.identity(),
        "code": f"{STAGE}-{CODE_VERSION}",
    }
    if base.chat_format == TEMPLATE:
        inputs["chat_format"] = hash_json(load_chat_format(base).described())
    return inputs, {"base": base.name, **settings.train.model_dump(exclude=set(NOT_SHAPING))}


def checkpoint_identity(wanted: str) -> str:
    """What a checkpoint must agree on: a stage's fingerprint and the versions of what computes it."""
    versions = package_versions()
    return hash_json([wanted, {name: versions.get(name) for name in COMPUTING}])


def train_adapter(settings: Settings, report: Report, announce: Announce) -> Manifest:
    """Fine-tune and write ``adapter/``; do nothing if it is there and its inputs did not change.

    An interrupted run left ``adapter.checkpoint`` beside it; the next one goes on from there. Where a
    launcher started several processes, all call this, once; the main one writes.

    Raises:
        RunError: the dataset is missing or from another version, or processes see different ones.
        DataError: an example is too long, none is to be learnt, or the loss is not a number any more.
        InputError: no such base, or one that cannot be trained.
        ResourceError: disk full, the base is too large for the memory, or something is not installed.
    """
    run = settings.run_folder
    dataset = require_manifest(run / "dataset", "smallhours corpus build")
    target = run / "adapter"
    if read_manifest(target) is None:
        _require_memory(settings)
    inputs, config = stage_inputs(settings, dataset)
    wanted = fingerprint(STAGE, inputs, config, settings.seed)
    identity, current = checkpoint_identity(wanted), is_current(target, wanted)
    require_same((identity, current), "dataset, base, settings, versions or adapter")
    if current:
        announce("adapter: up to date")
        return require_manifest(target, "smallhours train")
    checkpoint = CheckpointFile(
        run / "adapter.checkpoint", identity, settings.train.checkpoint_every, announce
    )
    if together().is_main_process:
        figures: dict[str, Any] = {}
        with staged_folder(
            target, stage=STAGE, inputs=inputs, config=config, seed=settings.seed, figures=figures
        ) as folder:
            figures.update(_fit_into(folder, settings, checkpoint, report, announce))
        checkpoint.remove()
    else:
        _fit_into(None, settings, checkpoint, report, announce)
    together().wait_for_everyone()
    together().end_training()
    return require_manifest(target, "smallhours train")


def _require_memory(settings: Settings) -> None:
    """Say before a base is fetched or loaded that it is too large: evaluation holds it in float32."""
    if sharded():
        return
    base = find_base(settings.base)
    require_memory(base.name, base.shape, "float32", free_memory())


def _fit_into(
    folder: Path | None, settings: Settings, checkpoint: CheckpointFile, report: Report, announce: Announce
) -> dict[str, Any]:
    """Train and, where there is a folder to write to, write the adapter; its figures."""
    base, dataset = find_base(settings.base), settings.run_folder / "dataset"
    curve = f"; the loss curve so far is in {folder / 'loss.png'}" if folder else ""
    announce(f"training: loading {base.title}{curve}")
    cautions(settings, announce)
    with _watching(folder, settings, report) if folder else nullcontext(_unwatched) as watch:
        # The first process of a host unpacks a base that comes packed, the others find it unpacked.
        with together().local_main_process_first():
            sets = encode_sets(
                base,
                settings.train,
                read_examples(dataset / "train.jsonl"),
                read_examples(dataset / "validation.jsonl"),
            )
        plan = make_plan(len(sets.train), settings.train)
        # What several machines take cannot be told from this one.
        if together().num_processes == 1:
            foresee(base, settings, sets.train, len(sets.validation), plan, announce)
        fitted = fit(base, settings.train, settings.seed, sets, checkpoint, watch, announce)
        if folder:
            save_adapter(fitted.model, base, folder, fitted.weights)
    return {
        **fitted.figures,
        "examples": {"train": len(sets.train), "validation": len(sets.validation), "longest": sets.longest},
    }


def cautions(settings: Settings, announce: Announce) -> None:
    """Say before minutes of work what will not be possible after them."""
    if settings.train.dora:
        announce(
            "warning: train.dora: a DoRA adapter has no GGUF form: this run can be trained, and neither "
            "evaluated nor exported, since both answer through llama.cpp"
        )


def _unwatched(event: Event, rows: list[dict[str, Any]]) -> None:
    """What another process keeps up to date."""


@contextmanager
def _watching(folder: Path, settings: Settings, report: Report) -> Iterator[Watch]:
    """Keep the log, the curve and the event files up to date while training goes on."""
    events = None
    if settings.train.tensorboard:
        events = EventFiles(settings.run_folder / "tensorboard", summary_writer())
    written = 0

    def watch(event: Event, rows: list[dict[str, Any]]) -> None:
        nonlocal written
        log.writelines(json.dumps(row) + "\n" for row in rows[written:])
        log.flush()
        written = len(rows)
        if isinstance(event, Validation) and event.step:
            draw_loss(folder / "metrics.jsonl", folder / "loss.png")
        if events is not None:
            events(event)
        report(event)

    with (folder / "metrics.jsonl").open("w", encoding="utf-8") as log:
        try:
            yield watch
        finally:
            if events is not None:
                events.close()
