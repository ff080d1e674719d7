"""One fine-tuning from token ids to the best adapter in memory, interruptible between any two steps."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from smallhours.domain.errors import ResourceError
from smallhours.domain.settings import TrainSettings
from smallhours.llm.answer_loss import AnswerObjective, Batch, Encoded, answer_losses, share
from smallhours.llm.base import Base
from smallhours.llm.loading import choose_dtype, load_model
from smallhours.llm.machine import matrix_rates
from smallhours.train.responder.batches import epoch_batches, steps_per_epoch
from smallhours.train.responder.checkpoint import CheckpointFile
from smallhours.train.responder.fused import fuse_lora
from smallhours.train.responder.inputs import TokenSets
from smallhours.train.responder.lean import make_lean
from smallhours.train.responder.loop import Event, Plan, Progress, train
from smallhours.train.responder.lora import add_lora, make_optimizer, quantization, trainable
from smallhours.train.responder.memory import peak_bytes
from smallhours.train.responder.processes import (
    distribute,
    main_says,
    require_same,
    sharded,
    together,
    total,
    whole,
)

# Tokens computed at a time on a CPU: more take more memory and are hardly faster (docs/log.md).
TOGETHER = 768

Announce = Callable[[str], None]
# Told of each event, with all the rows of metrics up to it.
Watch = Callable[[Event, list[dict[str, Any]]], None]


@dataclass(frozen=True)
class Fitted:
    """A model that carries the best adapter seen, and how it came to it.

    ``weights``: that adapter by parameter name, whole where several processes hold parts of it.
    ``held_out_before`` and ``held_out_after`` are ``None`` where nothing was held out.
    """

    model: Any
    weights: dict[str, torch.Tensor]
    progress: Progress
    rows: list[dict[str, Any]]
    figures: dict[str, Any]
    held_out_before: float | None
    held_out_after: float | None


def fit(
    base: Base,
    options: TrainSettings,
    seed: int,
    sets: TokenSets,
    checkpoint: CheckpointFile,
    watch: Watch,
    announce: Announce,
) -> Fitted:
    """Train a fresh adapter on ``sets``, or go on from the checkpoint.

    The result depends on base, options, seed and sets alone, not on how often training was interrupted (on
    one machine with one number of threads). Several processes share each batch: the same loss curve, up to
    rounding.

    Raises:
        DataError: the loss is not a number any more.
        ResourceError: QLoRA without its GPU or between processes that share a base, or the base's weights
            are not installed.
        RunError: another process sees other files.
    """
    processes = together().num_processes
    saved = checkpoint.load()
    require_same((checkpoint.identity, saved and saved.progress.steps), f"dataset or {checkpoint.path.name}")
    model, objective, optimizer, dtype = _set_up(base, options, seed, saved.dtype if saved else None)
    parameters = trainable(model)
    plan = make_plan(len(sets.train), options)
    announce(
        f"training: {len(sets.train)} examples, at most {plan.total_steps} steps, {_name(dtype)}, "
        f"{torch.get_num_threads()} threads{_among(processes)}; "
        f"{_size(parameters):,} of {base.parameters:,} parameters learn"
    )
    before = mean_loss(objective, sets.held_out, sets.pad) if sets.held_out else None
    progress, rows = None, []
    if saved:
        progress, rows = saved.restore(parameters, optimizer), list(saved.rows)
        announce(f"training: going on after step {progress.steps} of {plan.total_steps}")

    def report(event: Event) -> None:
        rows.append({k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(event).items()})
        watch(event, rows)

    progress = train(
        objective,
        parameters,
        lambda epoch: _batches(sets, options.batch_size, seed, epoch),
        optimizer,
        lambda: mean_loss(objective, sets.validation, sets.pad),
        plan,
        report,
        progress,
        lambda now: checkpoint.offer(now, parameters, optimizer, dtype, rows),
        processes,
        total,
    )
    _put_back(parameters, progress.best_weights)
    figures = _figures(progress, base, parameters, dtype, saved.progress.steps if saved else 0)
    after = mean_loss(objective, sets.held_out, sets.pad) if sets.held_out else None
    weights = {name: whole(weight) for name, weight in parameters.items()}
    return Fitted(model, weights, progress, rows, figures, before, after)


def mean_loss(objective: torch.nn.Module, examples: list[Encoded], pad: int) -> float:
    """Nats per answer token over all examples together; each has one at least. All processes must ask."""
    own = share(examples, together().process_index, together().num_processes)
    losses = answer_losses(objective, own, pad)
    sums = [sum(loss.nll for loss in losses), sum(loss.tokens for loss in losses)]
    nll, tokens = total(torch.tensor(sums, dtype=torch.float64, device=together().device)).tolist()
    return float(nll / tokens)


def make_plan(examples: int, options: TrainSettings) -> Plan:
    """Steps, looks and warm-up for a number of training examples."""
    per_epoch = steps_per_epoch(examples, options.batch_size)
    total = min(per_epoch * options.epochs, options.max_steps or per_epoch * options.epochs)
    return Plan(
        total_steps=total,
        steps_per_epoch=per_epoch,
        validate_every=-(-total // options.evaluations),
        patience=options.patience,
        warmup_steps=round(total * options.warmup_share),
    )


def _set_up(
    base: Base, options: TrainSettings, seed: int, begun_in: str | None
) -> tuple[Any, torch.nn.Module, Any, torch.dtype]:
    """Model, objective, optimizer and the number type. ``begun_in``: the one that a run began with; it is
    kept, because the probe behind "auto" may decide otherwise next time.
    """
    device, process = together().device, together().process_index
    dtype = getattr(torch, begun_in or main_says(_name(_dtype(options, device))))
    random.seed(seed)
    torch.manual_seed(seed)
    model = _adapted(base, options, dtype, device)
    optimizer = make_optimizer(model, trainable(model), options)
    objective, optimizer = distribute(AnswerObjective(model), optimizer)
    if process:
        # Dropout hides other inputs in each process.
        torch.manual_seed(seed + process)
    return model, objective, optimizer, dtype


@torch.no_grad()
def _put_back(parameters: Mapping[str, torch.nn.Parameter], weights: Mapping[str, torch.Tensor]) -> None:
    """Give the model the weights that were kept."""
    for name, weight in weights.items():
        parameters[name].copy_(weight)


def _batches(sets: TokenSets, size: int, seed: int, epoch: int) -> Iterator[tuple[Batch, ...]]:
    """The batches of an epoch that this process computes, on its device, each in parts."""
    device, process, processes = together().device, together().process_index, together().num_processes
    # Processes take the same number of steps together, and so of parts: one.
    most = TOGETHER if device.type == "cpu" and processes == 1 else 0
    for batch in epoch_batches(sets.train, size, sets.pad, seed, epoch, process, processes, most):
        yield tuple(part.to(device) for part in batch)


def _adapted(base: Base, options: TrainSettings, dtype: torch.dtype, device: torch.device) -> Any:
    quantized = quantization(options, dtype)
    if quantized is not None and sharded():
        raise ResourceError(
            f"train.quantize = {options.quantize}: a base in 4 bits is not divided over processes; leave "
            "FSDP out, or train without quantization: --set train.quantize=none"
        )
    plain = load_model(base, dtype, quantization=quantized)
    # A base that is to be divided may be too large for one device.
    if quantized is None and not sharded():
        plain.to(device)
    model = add_lora(plain, base, options)
    fuse_lora(model)
    make_lean(model)
    return model


def _dtype(options: TrainSettings, device: torch.device) -> torch.dtype:
    if options.dtype == "auto" and device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return choose_dtype(options.dtype)


def _size(parameters: Mapping[str, torch.nn.Parameter]) -> int:
    return sum(p.numel() for p in parameters.values())


def _among(processes: int) -> str:
    if processes == 1:
        return ""
    return f" in each of {processes} processes" + (", the base divided over them" if sharded() else "")


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _figures(
    progress: Progress,
    base: Base,
    parameters: dict[str, torch.nn.Parameter],
    dtype: torch.dtype,
    resumed_after: int,
) -> dict[str, Any]:
    return {
        "validation_loss_before": progress.loss_before,
        "validation_loss_best": progress.best_loss,
        "best_step": progress.best_step,
        "steps": progress.steps,
        "stopped_early": progress.stopped_early,
        "resumed_after_step": resumed_after,
        "tokens": progress.tokens,
        "seconds": progress.seconds,
        "tokens_per_second": progress.tokens / progress.seconds if progress.seconds else 0.0,
        "peak_memory_bytes": peak_bytes(),
        "trainable_parameters": _size(parameters),
        "total_parameters": base.parameters,
        "dtype": _name(dtype),
        "matrix_gflops": asdict(matrix_rates("cuda" if torch.cuda.is_available() else "cpu")),
        "threads": torch.get_num_threads(),
        "processes": together().num_processes,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
    }
