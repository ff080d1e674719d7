"""Settings of what is remembered."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from smallhours.domain.messages import Frozen


class MemorySettings(Frozen):
    """What is remembered of whom agreed to it. Nothing is written before the first person does."""

    enabled: bool = Field(True, description="offer people to keep a conversation; each is asked first")
    url: str = Field(
        "",
        description="database: sqlite:///PATH or postgresql://USER@HOST/NAME; empty: a file in <runs>/memory",
        pattern=r"^$|^(sqlite:///|postgresql://)",
    )
    key_url: str = Field(
        "",
        description="the keys' own database, which no backup should hold; empty: beside url, or url itself",
        pattern=r"^$|^(sqlite:///|postgresql://)",
    )
    master: str = Field(
        "",
        description="master keys: file:PATH, env:VARIABLE or hook:module:function; empty: a file beside url",
        pattern=r"^$|^(file:.+|env:[A-Za-z_][A-Za-z0-9_]*|hook:[\w.]+:\w+)$",
    )
    retention_days: int = Field(30, ge=1, description="days after its last message that a conversation goes")
    max_exchanges: int = Field(
        200, ge=10, description="messages kept in full; older ones live on as summary and risk"
    )
    token_budget: int = Field(900, ge=100, description="tokens of history per answer, at 4 characters each")
    timeout_seconds: float = Field(2.0, gt=0, description="a store slower than this counts as gone")

    @model_validator(mode="after")
    def _postgres_needs_a_master(self) -> Self:
        if self.url.startswith("postgresql") and not self.master:
            raise ValueError("memory.url is a server, so memory.master must say where the master keys are")
        return self
