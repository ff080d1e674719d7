"""Every variant of LoRA learns, is saved, and is the same model when it is loaded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from smallhours.domain.errors import ResourceError
from smallhours.domain.settings import TrainSettings
from smallhours.llm.answer_loss import AnswerObjective, answer_nll, collate
from smallhours.llm.catalog import EMBEDDED
from smallhours.train.responder import lora
from smallhours.train.responder.batches import epoch_batches
from smallhours.train.responder.fused import fuse_lora
from smallhours.train.responder.loop import Event, Plan, Step, train
from smallhours.train.responder.lora import make_optimizer, quantization, save_adapter, trainable
from tests.unit.train.conftest import EXAMPLES, adapted_by, tiny_base

VARIANTS = [
    {},
    {"rslora": True},
    {"dora": True},
    {"dropout": 0.1},
    {"lora_plus": 8.0},
    {"rslora": True, "dora": True},
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_a_variant_learns_and_loads_again(tmp_path: Path, options: dict[str, Any]) -> None:
    from peft import PeftModel

    settings = TrainSettings(rank=4, alpha=8, learning_rate=0.02, **options)
    model = adapted_by(**options)
    fuse_lora(model)
    parameters = trainable(model)
    events: list[Event] = []
    train(
        AnswerObjective(model),
        parameters,
        lambda epoch: epoch_batches(EXAMPLES, 4, 2, 0, epoch),
        make_optimizer(model, parameters, settings),
        lambda: 1.0,
        Plan(total_steps=40, steps_per_epoch=2, validate_every=40, patience=2, warmup_steps=1),
        events.append,
    )
    steps = [event for event in events if isinstance(event, Step)]
    assert steps[-1].smoothed_loss < 0.8 * steps[0].loss
    save_adapter(model, EMBEDDED, tmp_path)
    again = PeftModel.from_pretrained(tiny_base(), tmp_path).eval()
    model.eval()
    batch = collate(EXAMPLES, pad=2)
    torch.testing.assert_close(answer_nll(again, batch), answer_nll(model, batch), rtol=1e-4, atol=1e-5)


def test_the_fused_passes_scale_as_rslora_does() -> None:
    plain, fused = adapted_by(rslora=True), adapted_by(rslora=True)
    assert fuse_lora(fused) == 14
    for model in (plain, fused):
        torch.manual_seed(2)
        for name, weight in trainable(model).items():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.1)
    batch = collate(EXAMPLES, pad=2)
    torch.testing.assert_close(answer_nll(fused, batch), answer_nll(plain, batch), rtol=1e-4, atol=1e-5)


def test_under_lora_plus_only_the_b_matrices_learn_faster() -> None:
    model = adapted_by()
    settings = TrainSettings(learning_rate=0.01, lora_plus=16, weight_decay=0.3)
    rates: dict[int, float] = {}
    for group in make_optimizer(model, trainable(model), settings).param_groups:
        rates |= {id(parameter): group["lr"] for parameter in group["params"]}
    for name, parameter in trainable(model).items():
        assert rates[id(parameter)] == pytest.approx(0.16 if "lora_B" in name else 0.01)


@pytest.mark.parametrize(("cuda", "part"), [(False, "CUDA GPU"), (True, "pip install bitsandbytes")])
def test_qlora_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, cuda: bool, part: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(lora.util, "find_spec", lambda name: None)
    with pytest.raises(ResourceError, match=part):
        quantization(TrainSettings(quantize="nf4"), torch.bfloat16)


def test_without_qlora_nothing_is_quantized() -> None:
    assert quantization(TrainSettings(), torch.bfloat16) is None
