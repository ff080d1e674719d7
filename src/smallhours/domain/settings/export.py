"""Settings of the export stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from smallhours.domain.messages import Frozen


class ExportSettings(Frozen):
    """How weights are stored, and the proof that a target is still the model that was evaluated."""

    quantization: Literal["f32", "bf16", "f16", "q8_0", "q6_k", "q5_k_m", "q4_k_m"] = Field(
        "q8_0", description="number type of the merged GGUF model"
    )
    dtype: Literal["bfloat16", "float16", "float32"] = Field(
        "bfloat16", description="number type of the merged safetensors"
    )
    prompts: int = Field(50, ge=1, description="prompts that every target must read as the reference does")
    tokens: int = Field(8, ge=1, description="greedy tokens written to each of them, and compared")
    answers: int = Field(8, ge=1, description="held-out answers whose loss is compared, at most")
    min_agreement: float = Field(
        0.9, ge=0, le=1, description="share of greedy tokens that the reference must choose, too"
    )
    max_loss_change: float = Field(
        0.05, ge=0, description="nats per token by which held-out loss may move, up or down"
    )
