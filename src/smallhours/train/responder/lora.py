"""LoRA by PEFT: small matrices beside frozen ones (Hu et al. 2021, arXiv:2106.09685), and its variants."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import util
from pathlib import Path
from typing import Any

import torch
from transformers.pytorch_utils import Conv1D

from smallhours.domain.errors import ResourceError
from smallhours.domain.settings import TrainSettings
from smallhours.llm.base import Base


def add_lora(model: Any, base: Base, settings: TrainSettings) -> Any:
    """The model with a fresh, trainable float32 adapter on the base's target layers."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        use_rslora=settings.rslora,
        use_dora=settings.dora,
        target_modules=list(base.lora_targets),
        fan_in_fan_out=any(isinstance(layer, Conv1D) for layer in model.modules()),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def trainable(model: Any) -> dict[str, torch.nn.Parameter]:
    """The adapter's parameters by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def make_optimizer(
    model: Any, parameters: Mapping[str, torch.nn.Parameter], settings: TrainSettings
) -> torch.optim.Optimizer:
    """AdamW; under LoRA+ (Hayou et al. 2024, arXiv:2402.12354) B learns ``lora_plus`` times faster than A."""
    if settings.lora_plus == 1:
        return torch.optim.AdamW(
            parameters.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
    from peft.optimizers import create_loraplus_optimizer

    optimizer: torch.optim.Optimizer = create_loraplus_optimizer(
        model=model,
        optimizer_cls=torch.optim.AdamW,
        lr=settings.learning_rate,
        loraplus_lr_ratio=settings.lora_plus,
        loraplus_weight_decay=settings.weight_decay,
    )
    return optimizer


def quantization(settings: TrainSettings, dtype: torch.dtype) -> Any:
    """How the base is quantized for QLoRA (Dettmers et al. 2023, arXiv:2305.14314), or ``None``.

    Raises:
        ResourceError: no CUDA device, or bitsandbytes is not installed.
    """
    if settings.quantize == "none":
        return None
    remedy = "; or train without it: --set train.quantize=none"
    if not torch.cuda.is_available():
        raise ResourceError(
            f"train.quantize = {settings.quantize}: QLoRA needs a CUDA GPU, and torch sees none{remedy}"
        )
    if util.find_spec("bitsandbytes") is None:
        raise ResourceError(
            f"train.quantize = {settings.quantize}: needs the package bitsandbytes. "
            f"Install it with: pip install bitsandbytes{remedy}"
        )
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=settings.quantize,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def save_adapter(
    model: Any, base: Base, folder: Path, weights: dict[str, torch.Tensor] | None = None
) -> None:
    """Write the adapter in PEFT's own format, naming the base instead of a folder of this machine.

    ``weights`` by parameter name stand in for the model's own, of which it may hold a part only.
    """
    for config in model.peft_config.values():
        config.base_model_name_or_path = base.title
    model.save_pretrained(folder, state_dict=weights, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
