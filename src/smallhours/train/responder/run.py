"""The training stage: ``dataset/`` in, ``adapter/`` out."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import torch

from smallhours.domain.artifacts import (
    Manifest,
    explained_disk_errors,
    fingerprint,
    hash_json,
    is_current,
    read_manifest,
    require_manifest,
    staged_folder,
)
from smallhours.domain.records import Split, read_examples
from smallhours.domain.settings import Settings, TrainSettings
from smallhours.llm.answer_loss import Encoded, answer_losses, encode
from smallhours.llm.base import TEMPLATE, Base
from smallhours.llm.catalog import find_base
from smallhours.llm.checks import available_memory, require_memory
from smallhours.llm.loading import Attention, choose_dtype, load_chat_format, load_model, load_tokenizer
from smallhours.train.costs import PLAIN_ATTENTION_UP_TO
from smallhours.train.planner import foresee
from smallhours.train.responder.batches import epoch_batches, steps_per_epoch
from smallhours.train.responder.chart import draw_loss
from smallhours.train.responder.fused import fuse_lora
from smallhours.train.responder.loop import Outcome, Plan, Step, Validation, train
from smallhours.train.responder.lora import add_lora, save_adapter, trainable

STAGE = "train"
# Raise when the same inputs would give another adapter.
CODE_VERSION = 2

Report = Callable[[Step | Validation], None]


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
    return inputs, {"base": base.name, **settings.train.model_dump()}


def train_adapter(settings: Settings, report: Report, announce: Callable[[str], None]) -> Manifest:
    """Fine-tune and write ``adapter/``; do nothing if it is there and its inputs did not change.

    Raises:
        RunError: the dataset is missing or from another version.
        DataError: an example is too long, or the loss is not a number any more.
        InputError: no such base, or one that cannot be trained.
        ResourceError: disk full, the base is too large for the memory, or its weights are out of reach.
    """
    run = settings.run_folder
    dataset = require_manifest(run / "dataset", "smallhours corpus build")
    target = run / "adapter"
    if read_manifest(target) is None:
        _require_memory(settings)
    inputs, config = stage_inputs(settings, dataset)
    if is_current(target, fingerprint(STAGE, inputs, config, settings.seed)):
        announce("adapter: up to date")
        return require_manifest(target, "smallhours train")
    figures: dict[str, Any] = {}
    with staged_folder(
        target, stage=STAGE, inputs=inputs, config=config, seed=settings.seed, figures=figures
    ) as folder:
        figures.update(_fit(settings, run / "dataset", folder, report, announce))
    return require_manifest(target, "smallhours train")


def _require_memory(settings: Settings) -> None:
    """Say before a base is fetched or loaded that it is too large: evaluation holds it in float32."""
    base = find_base(settings.base)
    require_memory(base.name, base.shape, "float32", available_memory())


def _fit(
    settings: Settings, dataset: Path, folder: Path, report: Report, announce: Callable[[str], None]
) -> dict[str, Any]:
    base, options = find_base(settings.base), settings.train
    random.seed(settings.seed)
    torch.manual_seed(settings.seed)
    announce(f"training: loading {base.title}")
    dtype = choose_dtype(options.dtype)
    tokenizer = load_tokenizer(base)
    form = load_chat_format(base)
    pad = tokenizer.convert_tokens_to_ids(form.end)
    sets: dict[Split, list[Encoded]] = {
        split: encode(
            read_examples(dataset / f"{split.value}.jsonl"),
            tokenizer,
            form,
            options.system_prompt,
            options.max_length,
        )
        for split in (Split.TRAIN, Split.VALIDATION)
    }
    longest = max(len(example.ids) for examples in sets.values() for example in examples)
    plan = make_plan(len(sets[Split.TRAIN]), options)
    foresee(base, settings, sets[Split.TRAIN], len(sets[Split.VALIDATION]), plan, announce)
    model = add_lora(load_model(base, dtype, attention=choose_attention(longest)), base, options)
    fuse_lora(model)
    parameters = trainable(model)
    optimizer = torch.optim.AdamW(
        parameters.values(), lr=options.learning_rate, weight_decay=options.weight_decay
    )
    announce(
        f"training: {len(sets[Split.TRAIN])} examples, at most {plan.total_steps} steps, "
        f"{str(dtype).removeprefix('torch.')}, {torch.get_num_threads()} threads"
    )

    def validation_loss() -> float:
        losses = answer_losses(model, sets[Split.VALIDATION], pad)
        return sum(loss.nll for loss in losses) / sum(loss.tokens for loss in losses)

    with (folder / "metrics.jsonl").open("w", encoding="utf-8") as log:
        outcome = train(
            model,
            parameters,
            lambda epoch: epoch_batches(sets[Split.TRAIN], options.batch_size, pad, settings.seed, epoch),
            optimizer,
            validation_loss,
            plan,
            lambda event: _record(event, log, report),
        )
    with torch.no_grad():
        for name, weight in outcome.best_weights.items():
            parameters[name].copy_(weight)
    with explained_disk_errors(folder):
        save_adapter(model, base, folder)
        draw_loss(folder / "metrics.jsonl", folder / "loss.png")
    return _figures(outcome, base, parameters, dtype)


def choose_attention(longest: int) -> Attention:
    """How to compute attention over examples of at most ``longest`` tokens.

    A CPU's flash attention is slow on the way back over short examples; over long ones it saves memory.
    """
    return "eager" if longest <= PLAIN_ATTENTION_UP_TO and not torch.cuda.is_available() else "sdpa"


def make_plan(examples: int, options: TrainSettings) -> Plan:
    """Steps, looks and warm-up for a number of training examples."""
    per_epoch = steps_per_epoch(examples, options.batch_size)
    total = min(per_epoch * options.epochs, options.max_steps or per_epoch * options.epochs)
    return Plan(
        total_steps=total,
        steps_per_epoch=per_epoch,
        validate_every=max(1, round(total / options.evaluations)),
        patience=options.patience,
        warmup_steps=round(total * options.warmup_share),
    )


def _record(event: Step | Validation, log: TextIO, report: Report) -> None:
    log.write(
        json.dumps({k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(event).items()}) + "\n"
    )
    log.flush()
    report(event)


def _figures(
    outcome: Outcome, base: Base, parameters: dict[str, torch.nn.Parameter], dtype: torch.dtype
) -> dict[str, Any]:
    return {
        "validation_loss_before": outcome.loss_before,
        "validation_loss_best": outcome.best_loss,
        "best_step": outcome.best_step,
        "steps": outcome.steps,
        "stopped_early": outcome.stopped_early,
        "tokens": outcome.tokens,
        "seconds": outcome.seconds,
        "tokens_per_second": outcome.tokens / outcome.seconds if outcome.seconds else 0.0,
        "trainable_parameters": sum(p.numel() for p in parameters.values()),
        "total_parameters": base.parameters,
        "dtype": str(dtype).removeprefix("torch."),
    }
