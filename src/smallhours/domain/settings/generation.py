"""Settings of decoding and of the choice among candidates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from smallhours.domain.messages import Frozen

Policy = Literal["grounded", "generate", "vetted", "base"]


class GenerationSettings(Frozen):
    """How answers are decoded and chosen."""

    policy: Policy = Field("grounded", description="grounded | generate | vetted | base")
    temperature: float = Field(
        0.3, ge=0, le=2, description="of the candidates after the first, which is greedy"
    )
    top_p: float = Field(0.9, gt=0, le=1)
    dry: float = Field(
        0.8, ge=0, le=5, description="strength of the DRY penalty on repeated word sequences; 0 is off"
    )
    repetition: float = Field(
        1.0, ge=0.5, le=2, description="plain penalty on repeated words; 1 is off (docs/log.md says why)"
    )
    max_tokens: int = Field(110, ge=8, description="tokens per answer; it is cut at a sentence's end")
    vetted_first: float = Field(
        0.42, ge=-1, le=1, description="under 'grounded', a vetted pair this near answers without the model"
    )
    candidates: int = Field(3, ge=1, le=16, description="answers tried per message under 'grounded'")
    vetted_similarity: float = Field(
        0.3, ge=-1, le=1, description="a vetted pair this near to the question may stand in for the model"
    )
