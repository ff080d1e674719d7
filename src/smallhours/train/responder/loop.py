"""The training loop: a function of its collaborators. It opens no files and prints nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import torch

from smallhours.domain.errors import DataError
from smallhours.llm.answer_loss import Batch
from smallhours.train.responder.memory import resident_bytes

Parts = tuple[Batch, ...]

SMOOTHING = 0.75
MAX_GRADIENT_NORM = 1.0


@dataclass(frozen=True)
class Step:
    """What one optimizer step did.

    ``loss`` in nats per answer token; ``seconds`` of training so far, interruptions not counted; ``memory``:
    bytes that the process holds.
    """

    step: int
    of: int
    epoch: float
    loss: float
    smoothed_loss: float
    learning_rate: float
    tokens_per_second: float
    seconds: float
    memory: int


@dataclass(frozen=True)
class Validation:
    """A look at the unseen groups after ``step`` steps (0: before training)."""

    step: int
    epoch: float
    validation_loss: float
    best: bool
    seconds: float


Event = Step | Validation


@dataclass(frozen=True)
class Plan:
    """How long to train, how often to look, when to give up."""

    total_steps: int
    steps_per_epoch: int
    validate_every: int
    patience: int
    warmup_steps: int


@dataclass
class Progress:
    """How far training has come: with the weights and the optimizer's state, all that going on needs.

    ``epoch`` and ``position`` say which batch comes next; ``best_weights``: the adapter of the best look, on
    the model's device.
    """

    loss_before: float
    best_loss: float
    best_step: int = 0
    steps: int = 0
    epoch: int = 0
    position: int = 0
    tokens: int = 0
    seconds: float = 0.0
    smoothed: float | None = None
    misses: int = 0
    stopped_early: bool = False
    best_weights: dict[str, torch.Tensor] = field(default_factory=dict)


def train(
    objective: torch.nn.Module,
    parameters: Mapping[str, torch.nn.Parameter],
    batches: Callable[[int], Iterator[Parts]],
    optimizer: torch.optim.Optimizer,
    validate: Callable[[], float],
    plan: Plan,
    report: Callable[[Event], None],
    progress: Progress | None = None,
    between_steps: Callable[[Progress], None] = lambda progress: None,
    processes: int = 1,
    total: Callable[[torch.Tensor], torch.Tensor] = lambda value: value,
) -> Progress:
    """Train ``parameters`` until the plan says stop; the best state seen on unseen groups is in the result.

    Args:
        objective: a module that gives the loss of each answer token of a batch.
        batches: the batches of epoch ``n`` (from 0), the same whenever they are asked for; each in parts
            that are computed one after another, so that a large batch needs no more memory than a part.
        validate: mean loss on unseen groups; may leave the model in evaluation mode.
        progress: where to go on; weights, optimizer and random numbers must stand where they stood then.
        between_steps: called where training could go on from; a place for checkpoints.
        processes: how many train together, each on its share of every batch; ``objective`` then leaves the
            mean over processes of their gradients, and ``total`` sums a tensor over them.

    Raises:
        DataError: when the loss is not a number any more, naming the step.
    """
    started = time.perf_counter() - (progress.seconds if progress else 0.0)
    if progress is None:
        before = validate()
        progress = Progress(loss_before=before, best_loss=before, best_weights=_copy(parameters))
        report(Validation(0, 0.0, before, best=True, seconds=time.perf_counter() - started))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda done: _rate(done, plan), last_epoch=progress.steps - 1
    )
    for batch in _from(progress, batches):
        step_started = time.perf_counter()
        loss = _optimize(objective, parameters, batch, optimizer, processes, total)
        if not math.isfinite(loss):
            raise DataError(
                f"training: the loss became {loss} at step {progress.steps + 1}; lower train.learning_rate"
            )
        rate = float(schedule.get_last_lr()[0])
        schedule.step()
        _count(progress, batch[0], loss)
        now = time.perf_counter()
        progress.seconds = now - started
        report(_step(progress, plan, loss, rate, batch[0].tokens / (now - step_started)))
        last = progress.steps >= plan.total_steps
        if last or progress.steps % plan.validate_every == 0:
            report(_look(progress, plan, validate(), parameters, started))
            progress.stopped_early = progress.misses >= plan.patience and not last
        if last or progress.stopped_early:
            break
        between_steps(progress)
    return progress


def _optimize(
    objective: torch.nn.Module,
    parameters: Mapping[str, torch.nn.Parameter],
    batch: Parts,
    optimizer: torch.optim.Optimizer,
    processes: int,
    total: Callable[[torch.Tensor], torch.Tensor],
) -> float:
    """One step on one batch; the loss of the whole batch before it. None is taken where that is no number.

    The mean over processes of ``processes`` times their parts of the loss has the gradient of the whole loss.
    """
    objective.train()
    value = 0.0
    for part in batch:
        loss = objective(part).sum() / part.of_labels
        value += float(total(loss.detach()))
        if not math.isfinite(value):
            return value
        torch.autograd.backward(loss * processes)
    torch.nn.utils.clip_grad_norm_(parameters.values(), MAX_GRADIENT_NORM)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return value


def _count(progress: Progress, batch: Batch, loss: float) -> None:
    progress.steps += 1
    progress.position += 1
    progress.tokens += batch.tokens
    old = progress.smoothed
    progress.smoothed = loss if old is None else SMOOTHING * old + (1 - SMOOTHING) * loss


def _step(progress: Progress, plan: Plan, loss: float, rate: float, speed: float) -> Step:
    return Step(
        step=progress.steps,
        of=plan.total_steps,
        epoch=progress.steps / plan.steps_per_epoch,
        loss=loss,
        smoothed_loss=loss if progress.smoothed is None else progress.smoothed,
        learning_rate=rate,
        tokens_per_second=speed,
        seconds=progress.seconds,
        memory=resident_bytes(),
    )


def _look(
    progress: Progress,
    plan: Plan,
    found: float,
    parameters: Mapping[str, torch.nn.Parameter],
    started: float,
) -> Validation:
    """Take a held-out loss into account: a new best is kept, anything else is a miss."""
    better = found < progress.best_loss
    if better:
        progress.best_loss, progress.best_step = found, progress.steps
        progress.best_weights = _copy(parameters)
    progress.misses = 0 if better else progress.misses + 1
    progress.seconds = time.perf_counter() - started
    return Validation(progress.steps, progress.steps / plan.steps_per_epoch, found, better, progress.seconds)


def _rate(done: int, plan: Plan) -> float:
    """Linear warm-up, then a cosine to a tenth of the peak."""
    if done < plan.warmup_steps:
        return (done + 1) / (plan.warmup_steps + 1)
    share = (done - plan.warmup_steps) / max(1, plan.total_steps - plan.warmup_steps)
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def _from(progress: Progress, batches: Callable[[int], Iterator[Parts]]) -> Iterator[Parts]:
    """The batches from where training stands, epoch after epoch."""
    while True:
        yield from islice(batches(progress.epoch), progress.position, None)
        progress.epoch += 1
        progress.position = 0


def _copy(parameters: Mapping[str, torch.nn.Parameter]) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in parameters.items()}
