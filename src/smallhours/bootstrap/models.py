"""Models behind the engine port: llama.cpp here, endpoints elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from smallhours.domain.endpoint import Endpoint
from smallhours.domain.ports import Engine, ModelIdentity, Rewriter
from smallhours.domain.settings import ServeSettings

if TYPE_CHECKING:
    from smallhours.llm.chat_format import ChatFormat


def llama_engine(
    base_name: str,
    form: ChatFormat,
    adapter: Path | None,
    system_prompt: str,
    identity: ModelIdentity,
    serve: ServeSettings,
) -> Engine:
    """The base in llama.cpp, with a GGUF adapter if one is given."""
    from smallhours.export.served_base import served_gguf
    from smallhours.llm.engines.llamacpp import LlamaCppEngine

    return LlamaCppEngine(
        served_gguf(base_name, identity.base),
        adapter,
        form,
        system_prompt,
        identity,
        context=serve.context,
        parallel=serve.parallel,
        threads=serve.threads,
    )


def open_rewriter(endpoint: Endpoint) -> Rewriter:
    """A model behind an endpoint, to reword questions; its key is read here and kept by the client alone.

    Raises:
        SettingsError: the variable with its key is not set, or httpx is not installed.
    """
    from smallhours.llm.engines.openai_http import OpenAiHttpEngine
    from smallhours.llm.rewriting import INSTRUCTION, EngineRewriter

    key = endpoint.key(os.environ)
    return EngineRewriter(OpenAiHttpEngine(endpoint, key=key, system_prompt=INSTRUCTION))
