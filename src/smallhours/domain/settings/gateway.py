"""Settings of who may come in, and how much at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from smallhours.domain.messages import Frozen
from smallhours.domain.values import Data


class GatewaySettings(Frozen):
    """Who may come in, how much at a time, and what is written down about it."""

    anonymous: bool = Field(True, description="answer without an API key; false: keys only, crises excepted")
    keys_file: Path | None = Field(
        None, description="hashed API keys, written by 'smallhours keys'; unset: <runs>/keys.json"
    )
    per_key_minute: int = Field(120, ge=0, description="messages a minute per API key; 0: no limit")
    per_address_minute: int = Field(
        120, ge=0, description="messages a minute per address without a key; 0: no limit"
    )
    tokens_day: int = Field(0, ge=0, description="tokens a day per API key, at 4 characters each; 0: any")
    redis: str = Field(
        "", description="redis://HOST:PORT/N: limits shared by several gateways", pattern=r"^$|^rediss?://"
    )
    queue: int = Field(16, ge=0, description="ordinary messages that may wait for the model; more get a 429")
    queue_seconds: float = Field(30.0, gt=0, description="longest wait for the model; then a 429")
    proxies: str = Field(
        "", description="addresses or networks of proxies whose X-Forwarded-For is believed, with commas"
    )
    workers: int = Field(1, ge=1, description="processes; each has its own queue")
    tls_certificate: Path | None = Field(None, description="PEM file; with tls_key: HTTPS")
    tls_key: Path | None = Field(None, description="PEM file")
    review_pairs: Data = Field(
        None,
        description="pairs that reviewers sign on the operator's page: a file or builtin:NAME; unset: none",
    )
    review_sign_offs: Path | None = Field(
        None, description="where their sign-offs go; unset: <review_pairs>.signoffs.jsonl or signoffs.jsonl"
    )
    drain_seconds: int = Field(25, ge=0, description="on a stop, time for replies that have begun")
    header_seconds: float = Field(10.0, gt=0, description="a request's head must be whole by then")
    body_seconds: float = Field(20.0, gt=0, description="and its body")
    max_header_bytes: int = Field(16384, ge=1024)
    max_waiting: int = Field(
        512, ge=8, description="connections that have not asked anything yet; beyond it, the oldest goes"
    )
    log: Literal["off", "json"] = Field("off", description="json: a line per request, never its text")
    telemetry: str = Field(
        "", description="OTLP address for traces (http://HOST:4318/v1/traces)", pattern=r"^$|^https?://"
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("TLS needs both gateway.tls_certificate and gateway.tls_key")
        if self.review_sign_offs is not None and self.review_pairs is None:
            raise ValueError("gateway.review_sign_offs needs gateway.review_pairs: the pairs that are signed")
        return self
