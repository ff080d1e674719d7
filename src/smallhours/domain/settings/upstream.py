"""Settings of model servers elsewhere, and of the patience with any model."""

from __future__ import annotations

from pydantic import Field

from smallhours.domain.messages import Frozen


class UpstreamSettings(Frozen):
    """Model servers elsewhere. Without ``url``, the model runs here, in a process of its own."""

    url: str | None = Field(
        None,
        description="OpenAI-compatible servers that answer instead of a model of our own: "
        "http://gpu1:8000/v1,http://gpu2:8000/v1",
    )
    model: str | None = Field(
        None,
        description="the name they serve it by; unset: smallhours-<12 letters of the adapter's hash>",
    )
    key_variable: str | None = Field(None, description="NAME of the variable with their key")
    connect: float = Field(2.0, gt=0, description="seconds to connect")
    first: float = Field(30.0, gt=0, description="seconds to the first token, queueing included")
    idle: float = Field(15.0, gt=0, description="seconds between two tokens")
    total: float = Field(120.0, gt=0, description="seconds for a whole answer")
