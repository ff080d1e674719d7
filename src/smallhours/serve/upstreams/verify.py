"""Whether a server serves the model of a run: asked at the start, so that nobody hears another one's words.

Nobody can hash weights over HTTP. But an adapter can be loaded under a name that holds its hash, and
a server on this machine names the folder it loaded, which is hashed here.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from smallhours.domain.artifacts import hash_file
from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import SettingsError
from smallhours.domain.ports import ModelIdentity
from smallhours.llm.engines.openai_http import OpenAiHttpEngine

PREFIX = "smallhours-"
_LETTERS = 12
_WEIGHTS = "adapter_model.safetensors"


def adapter_name(identity: ModelIdentity) -> str:
    """What an adapter is called on a server: ``smallhours-<first letters of its hash>``."""
    return PREFIX + (identity.adapter or identity.base)[:_LETTERS]


def require_model(engine: OpenAiHttpEngine, endpoint: Endpoint, identity: ModelIdentity) -> None:
    """Raises SettingsError if the server does not list the model or lists another run's; EngineError if it
    does not answer. A server without a list is believed.
    """
    listed = engine.models()
    if listed is None:
        return
    named = [one for one in listed if one["id"].removesuffix(":latest") == endpoint.model]
    if not named:
        raise SettingsError(_missing(endpoint, [one["id"] for one in listed], identity))
    for one in named:
        _require_weights(one, endpoint, identity)


def _missing(endpoint: Endpoint, listed: list[str], identity: ModelIdentity) -> str:
    has = ", ".join(listed[:8]) or "no model"
    told = f"upstream.url: {endpoint.place} serves {has}, but not '{endpoint.model}'. "
    others = [name for name in listed if name.startswith(PREFIX)]
    if endpoint.model == adapter_name(identity) and others:
        return f"{told}'{others[0]}' is another run's adapter: load this run's (smallhours export --to peft)"
    remedy = (
        "Load this run's adapter under that name (smallhours export --to peft), or name with upstream.model"
    )
    near = difflib.get_close_matches(endpoint.model, listed, n=1)
    return f"{told}{remedy} what it serves" + (f"; did you mean '{near[0]}'?" if near else "")


def _require_weights(listed: dict[str, Any], endpoint: Endpoint, identity: ModelIdentity) -> None:
    """Where the server names a folder that this machine has, the weights in it are this run's."""
    weights = Path(str(listed.get("root") or "")) / _WEIGHTS
    if identity.adapter is None or not listed.get("root") or not weights.is_file():
        return
    if (found := hash_file(weights)) != identity.adapter:
        raise SettingsError(
            f"upstream.url: {endpoint.place} serves '{endpoint.model}' from {weights.parent}, whose weights "
            f"({found[:_LETTERS]}) are not this run's ({identity.adapter[:_LETTERS]}); export and load again"
        )
