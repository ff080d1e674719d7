"""The training loop: a function of its collaborators. It opens no files and prints nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from smallhours.domain.errors import DataError
from smallhours.llm.answer_loss import Batch, answer_nll

SMOOTHING = 0.75
MAX_GRADIENT_NORM = 1.0


@dataclass(frozen=True)
class Step:
    """What one optimizer step did. ``loss`` in nats per answer token; ``seconds`` since the start."""

    step: int
    of: int
    epoch: float
    loss: float
    smoothed_loss: float
    learning_rate: float
    tokens_per_second: float
    seconds: float


@dataclass(frozen=True)
class Validation:
    """A look at the unseen groups after ``step`` steps (0: before training)."""

    step: int
    epoch: float
    validation_loss: float
    best: bool
    seconds: float


@dataclass(frozen=True)
class Plan:
    """How long to train, how often to look, when to give up."""

    total_steps: int
    steps_per_epoch: int
    validate_every: int
    patience: int
    warmup_steps: int


@dataclass
class Outcome:
    """What training came to; ``best_weights`` are the adapter of the best look, on this device."""

    loss_before: float
    best_loss: float
    best_step: int = 0
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    stopped_early: bool = False
    best_weights: dict[str, torch.Tensor] = field(default_factory=dict)


def train(
    model: Any,
    parameters: Mapping[str, torch.nn.Parameter],
    batches: Callable[[int], Iterator[Batch]],
    optimizer: torch.optim.Optimizer,
    validate: Callable[[], float],
    plan: Plan,
    report: Callable[[Step | Validation], None],
) -> Outcome:
    """Train ``parameters`` and give back the best state seen on unseen groups.

    Args:
        batches: the batches of epoch ``n`` (from 0).
        validate: mean loss on unseen groups; may leave the model in evaluation mode.

    Raises:
        DataError: when the loss is not a number any more, naming the step.
    """
    started = time.perf_counter()
    outcome = Outcome(loss_before=validate(), best_loss=math.inf)
    outcome.best_loss = outcome.loss_before
    outcome.best_weights = _copy(parameters)
    report(Validation(0, 0.0, outcome.loss_before, best=True, seconds=0.0))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: _rate(done, plan))
    smoothed: float | None = None
    misses = 0
    for batch in _endless(batches):
        step_started = time.perf_counter()
        value = _optimize(model, parameters, batch, optimizer, outcome.steps + 1)
        rate = float(schedule.get_last_lr()[0])
        schedule.step()
        outcome.steps += 1
        outcome.tokens += batch.tokens
        smoothed = value if smoothed is None else SMOOTHING * smoothed + (1 - SMOOTHING) * value
        now = time.perf_counter()
        epoch = outcome.steps / plan.steps_per_epoch
        report(
            Step(
                outcome.steps, plan.total_steps, epoch, value, smoothed, rate,
                batch.tokens / (now - step_started), now - started,
            )
        )  # fmt: skip
        last = outcome.steps >= plan.total_steps
        if last or outcome.steps % plan.validate_every == 0:
            found = validate()
            better = found < outcome.best_loss
            if better:
                outcome.best_loss, outcome.best_step = found, outcome.steps
                outcome.best_weights = _copy(parameters)
            misses = 0 if better else misses + 1
            report(Validation(outcome.steps, epoch, found, better, time.perf_counter() - started))
            outcome.stopped_early = misses >= plan.patience and not last
        if last or outcome.stopped_early:
            break
    outcome.seconds = time.perf_counter() - started
    return outcome


def _optimize(
    model: Any,
    parameters: Mapping[str, torch.nn.Parameter],
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    step: int,
) -> float:
    """One step on one batch; its loss before the step."""
    model.train()
    loss = answer_nll(model, batch).mean()
    value = float(loss.detach())
    if not math.isfinite(value):
        raise DataError(f"training: the loss became {value} at step {step}; lower train.learning_rate")
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(parameters.values(), MAX_GRADIENT_NORM)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return value


def _rate(done: int, plan: Plan) -> float:
    """Linear warm-up, then a cosine to a tenth of the peak."""
    if done < plan.warmup_steps:
        return (done + 1) / (plan.warmup_steps + 1)
    share = (done - plan.warmup_steps) / max(1, plan.total_steps - plan.warmup_steps)
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def _endless(batches: Callable[[int], Iterator[Batch]]) -> Iterator[Batch]:
    epoch = 0
    while True:
        yield from batches(epoch)
        epoch += 1


def _copy(parameters: Mapping[str, torch.nn.Parameter]) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in parameters.items()}
