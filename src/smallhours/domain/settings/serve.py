"""Settings of the chat and its API."""

from __future__ import annotations

from pydantic import Field

from smallhours.domain.messages import Frozen


class ServeSettings(Frozen):
    """The chat and its API."""

    host: str = "127.0.0.1"
    port: int = Field(8800, ge=0, le=65535)
    threads: int = Field(0, ge=0, description="threads of the model; 0: all cores")
    parallel: int = Field(4, ge=1, description="generations at the same time")
    context: int = Field(2048, ge=256, description="tokens of context per generation")
    max_body_bytes: int = Field(65536, ge=1024)
    max_messages: int = Field(200, ge=1)
    age_confirmation: bool = Field(
        False, description="ask for 18 or older before the chat; people who help need no age"
    )
    exit_url: str = Field(
        "https://www.wikipedia.org/", pattern="^https://", description="where Quick exit leads"
    )
