"""LoRA by PEFT: small matrices beside frozen ones (Hu et al. 2021, arXiv:2106.09685)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers.pytorch_utils import Conv1D

from smallhours.domain.settings import TrainSettings
from smallhours.llm.base import Base


def add_lora(model: Any, base: Base, settings: TrainSettings) -> Any:
    """The model with a fresh, trainable float32 adapter on the base's target layers."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=list(base.lora_targets),
        fan_in_fan_out=any(isinstance(layer, Conv1D) for layer in model.modules()),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def trainable(model: Any) -> dict[str, torch.nn.Parameter]:
    """The adapter's parameters by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def save_adapter(model: Any, base: Base, folder: Path) -> None:
    """Write the adapter in PEFT's own format, naming the base instead of a folder of this machine."""
    for config in model.peft_config.values():
        config.base_model_name_or_path = base.title
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
