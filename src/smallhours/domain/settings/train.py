"""Settings of the training stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from smallhours.domain.messages import Frozen

SYSTEM_PROMPT = (
    "You are a warm, calm support assistant, not a therapist. Acknowledge the feeling, offer one or "
    "two small steps, and suggest professional help where it fits. Never diagnose or prescribe."
)


class TrainSettings(Frozen):
    """LoRA fine-tuning."""

    rank: int = Field(16, ge=1, description="LoRA rank r")
    alpha: int = Field(32, ge=1, description="LoRA scale; the update is multiplied by alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout on the input of each LoRA layer")
    rslora: bool = Field(False, description="rsLoRA: scale by alpha / sqrt(rank), for high ranks")
    dora: bool = Field(
        False, description="DoRA: learn direction and magnitude apart; such an adapter has no GGUF form"
    )
    lora_plus: float = Field(1.0, ge=1, description="LoRA+: how many times faster the B matrices learn")
    quantize: Literal["none", "nf4", "fp4"] = Field(
        "none", description="QLoRA: the base in 4 bits; needs a CUDA GPU and bitsandbytes"
    )
    learning_rate: float = Field(1e-3, gt=0, description="peak learning rate of AdamW")
    warmup_share: float = Field(0.06, ge=0, lt=1, description="share of the steps that ramp the rate up")
    weight_decay: float = Field(0.01, ge=0)
    batch_size: int = Field(4, ge=1, description="examples per optimizer step")
    epochs: int = Field(3, ge=1, description="passes over the training examples, at most")
    max_steps: int = Field(
        220, ge=0, description="stop after this many steps, about five minutes on two cores; 0: whole passes"
    )
    evaluations: int = Field(3, ge=1, description="how often in a run the held-out loss is measured")
    patience: int = Field(2, ge=1, description="measurements without improvement before stopping")
    max_length: int = Field(
        0, ge=0, description="tokens; a longer example is an error that names it; 0: the base's whole context"
    )
    dtype: Literal["auto", "bfloat16", "float32"] = Field(
        "auto", description="auto: whichever this CPU multiplies faster"
    )
    checkpoint_every: float = Field(
        60, ge=0, description="seconds between checkpoints that an interrupted run goes on from; 0: none"
    )
    tensorboard: bool = Field(False, description="write TensorBoard event files to <run>/tensorboard")
    system_prompt: str = Field(
        SYSTEM_PROMPT, min_length=1, description="the same in training, evaluation and serving"
    )
