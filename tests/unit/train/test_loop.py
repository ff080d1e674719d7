"""The loop learns, keeps its best state, gives up in time, and stops on nonsense."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from smallhours.domain.errors import DataError
from smallhours.domain.settings import TrainSettings
from smallhours.llm.answer_loss import AnswerObjective, Batch
from smallhours.train.responder.batches import epoch_batches
from smallhours.train.responder.chart import draw_loss
from smallhours.train.responder.fit import make_plan
from smallhours.train.responder.loop import Plan, Progress, Step, Validation, train
from smallhours.train.responder.lora import trainable
from tests.unit.train.conftest import EXAMPLES


def fit(
    model: Any,
    looks: Callable[[], float],
    events: list[Step | Validation],
    plan: Plan = Plan(total_steps=12, steps_per_epoch=2, validate_every=2, patience=2, warmup_steps=1),  # noqa: B008
    batches: Callable[[int], Iterator[tuple[Batch, ...]]] = lambda epoch: epoch_batches(
        EXAMPLES, 4, 2, 0, epoch
    ),
) -> Progress:
    parameters = trainable(model)
    optimizer = torch.optim.AdamW(parameters.values(), lr=0.05)
    return train(AnswerObjective(model), parameters, batches, optimizer, looks, plan, events.append)


def scripted(*losses: float) -> Callable[[], float]:
    left = iter(losses)
    return lambda: next(left)


def test_loss_falls_and_only_the_adapter_moves(adapted: Any) -> None:
    frozen = {n: p.clone() for n, p in adapted.named_parameters() if not p.requires_grad}
    events: list[Step | Validation] = []
    plan = Plan(total_steps=60, steps_per_epoch=2, validate_every=60, patience=2, warmup_steps=1)
    fit(adapted, scripted(9.0, 8.0), events, plan)
    steps = [e for e in events if isinstance(e, Step)]
    assert steps[-1].smoothed_loss < 0.8 * steps[0].loss
    assert [s.step for s in steps] == list(range(1, 61))
    for name, parameter in adapted.named_parameters():
        if name in frozen:
            assert torch.equal(parameter, frozen[name]), name


def test_it_stops_after_patience_and_keeps_the_best(adapted: Any) -> None:
    events: list[Step | Validation] = []
    seen: list[torch.Tensor] = []
    values = scripted(5.0, 4.0, 4.5, 4.2)
    name = next(iter(trainable(adapted)))

    def look() -> float:
        seen.append(trainable(adapted)[name].detach().clone())
        return values()

    outcome = fit(adapted, look, events)
    assert (outcome.stopped_early, outcome.steps, outcome.best_step, outcome.best_loss) == (True, 6, 2, 4.0)
    assert torch.equal(outcome.best_weights[name], seen[1])


def test_without_improvement_the_untrained_adapter_is_kept(adapted: Any) -> None:
    outcome = fit(adapted, scripted(3.0, 3.5, 3.6), [])
    assert outcome.best_step == 0 and outcome.best_loss == outcome.loss_before == 3.0


def test_the_same_seed_gives_the_same_losses(adapted: Any) -> None:
    start = {n: p.detach().clone() for n, p in trainable(adapted).items()}

    def losses() -> list[float]:
        for name, parameter in trainable(adapted).items():
            parameter.data.copy_(start[name])
        events: list[Step | Validation] = []
        torch.manual_seed(1)
        fit(adapted, scripted(*[9.0 - i for i in range(9)]), events)
        return [e.loss for e in events if isinstance(e, Step)]

    assert losses() == losses()


def test_the_loss_comes_from_the_forward_pass_of_a_module(adapted: Any) -> None:
    """Wrappers for many processes put a module around the objective; the loop must go through it."""

    class Wrapper(torch.nn.Module):
        calls = 0

        def __init__(self, module: torch.nn.Module) -> None:
            super().__init__()
            self.module = module

        def forward(self, batch: Batch) -> torch.Tensor:
            Wrapper.calls += 1
            found: torch.Tensor = self.module(batch)
            return found

    parameters = trainable(adapted)
    plan = Plan(total_steps=3, steps_per_epoch=2, validate_every=3, patience=2, warmup_steps=1)
    train(
        Wrapper(AnswerObjective(adapted)),
        parameters,
        lambda epoch: epoch_batches(EXAMPLES, 4, 2, 0, epoch),
        torch.optim.AdamW(parameters.values(), lr=0.05),
        scripted(9.0, 8.0),
        plan,
        lambda event: None,
    )
    assert Wrapper.calls == 3


def test_a_batch_in_parts_teaches_what_the_whole_does(adapted: Any) -> None:
    start = {name: p.detach().clone() for name, p in trainable(adapted).items()}
    plan = Plan(total_steps=3, steps_per_epoch=2, validate_every=3, patience=2, warmup_steps=1)

    def taught(together: int) -> tuple[list[float], dict[str, torch.Tensor]]:
        for name, parameter in trainable(adapted).items():
            parameter.data.copy_(start[name])
        events: list[Step | Validation] = []
        batches = partial(epoch_batches, EXAMPLES, 4, 2, 0, together=together)
        fit(adapted, scripted(9.0, 8.0), events, plan, batches)
        losses = [event.loss for event in events if isinstance(event, Step)]
        return losses, {name: p.detach().clone() for name, p in trainable(adapted).items()}

    (whole, weights), (parts, others) = taught(0), taught(1)
    assert parts == pytest.approx(whole, rel=1e-5)
    for name, weight in weights.items():
        torch.testing.assert_close(others[name], weight, rtol=1e-3, atol=1e-5)


def test_a_loss_that_is_no_number_is_an_error_that_names_the_step(adapted: Any) -> None:
    with torch.no_grad():
        next(iter(trainable(adapted).values())).fill_(float("nan"))
    with pytest.raises(DataError, match=r"step 1.*learning_rate"):
        fit(adapted, scripted(3.0), [])


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"epochs": 2}, 56), ({"epochs": 1}, 28), ({"epochs": 2, "max_steps": 5}, 5), ({"batch_size": 219}, 2)],
)
def test_the_plan_counts_steps(options: dict[str, int], expected: int) -> None:
    assert make_plan(219, TrainSettings(**{"epochs": 2, "batch_size": 8, **options})).total_steps == expected


def test_the_curve_is_drawn_from_the_log_alone(tmp_path: Path) -> None:
    rows = [{"step": 0, "validation_loss": 3.0}]
    rows += [{"step": i, "loss": 3 - i / 10, "smoothed_loss": 3 - i / 20} for i in range(1, 6)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    draw_loss(tmp_path / "metrics.jsonl", tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
