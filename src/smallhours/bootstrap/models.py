"""Models behind the engine port: llama.cpp here, endpoints elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import SettingsError
from smallhours.domain.ports import Engine, ModelIdentity, Rewriter
from smallhours.domain.settings import ServeSettings, UpstreamSettings

if TYPE_CHECKING:
    from smallhours.evaluate.judging.asking import Judge
    from smallhours.llm.chat_format import ChatFormat
    from smallhours.llm.engines.llama_server import LlamaOptions
    from smallhours.llm.engines.wire import Patience
    from smallhours.serve.model_server.supervisor import Supervisor
    from smallhours.serve.upstreams.pool import UpstreamPool


def llama_engine(
    base_name: str,
    form: ChatFormat,
    adapter: Path | None,
    system_prompt: str,
    identity: ModelIdentity,
    serve: ServeSettings,
) -> Engine:
    """The base in llama.cpp in this process, with a GGUF adapter if one is given."""
    from smallhours.llm.engines.llamacpp import LlamaCppEngine

    return LlamaCppEngine(llama_options(base_name, identity, adapter, serve), form, system_prompt, identity)


def llama_options(
    base_name: str, identity: ModelIdentity, adapter: Path | None, serve: ServeSettings
) -> LlamaOptions:
    """Which files llama.cpp loads, and how it runs them."""
    from smallhours.export.served_base import served_gguf
    from smallhours.llm.engines.llama_server import LlamaOptions

    return LlamaOptions(
        weights=str(served_gguf(base_name, identity.base)),
        adapter=str(adapter) if adapter else None,
        context=serve.context,
        parallel=serve.parallel,
        threads=serve.threads,
    )


def open_rewriter(endpoint: Endpoint) -> Rewriter:
    """A model behind an endpoint, to reword questions; its key is read here and kept by the client alone.

    Raises:
        SettingsError: the variable with its key is not set.
    """
    from smallhours.llm.engines.openai_http import OpenAiHttpEngine
    from smallhours.llm.rewriting import INSTRUCTION, EngineRewriter

    key = endpoint.key(os.environ)
    return EngineRewriter(OpenAiHttpEngine(endpoint, key=key, system_prompt=INSTRUCTION))


def open_judge(endpoint: Endpoint, seed: int) -> Judge:
    """A model behind an endpoint, to compare answers; its key is read here and kept by the client alone.

    Raises:
        SettingsError: the variable with its key is not set.
    """
    from smallhours.evaluate.judging.asking import INSTRUCTION, SCHEMA, EngineJudge
    from smallhours.llm.engines.openai_http import ChatDialect, OpenAiHttpEngine

    dialect = ChatDialect(endpoint.model, INSTRUCTION, SCHEMA)
    return EngineJudge(OpenAiHttpEngine(endpoint, key=endpoint.key(os.environ), dialect=dialect), seed)


def patience(upstream: UpstreamSettings) -> Patience:
    """How long any model is waited for."""
    from smallhours.llm.engines.wire import Patience

    return Patience(upstream.connect, upstream.first, upstream.idle, upstream.total)


def model_server(
    base_name: str, identity: ModelIdentity, adapter: Path | None, serve: ServeSettings
) -> Supervisor:
    """The base with an adapter in a process of its own, which is being started."""
    from smallhours.serve.model_server.supervisor import Supervisor

    supervisor = Supervisor(llama_options(base_name, identity, adapter, serve))
    supervisor.start()
    return supervisor


def supervised_engine(
    server: Supervisor,
    form: ChatFormat,
    system_prompt: str,
    identity: ModelIdentity,
    upstream: UpstreamSettings,
) -> Engine:
    """The model in its own process as an engine."""
    from smallhours.serve.model_server.engine import ModelServerEngine

    return ModelServerEngine(server, form, system_prompt, identity, patience(upstream))


def upstream_pool(
    upstream: UpstreamSettings, url: str, system_prompt: str, identity: ModelIdentity
) -> UpstreamPool:
    """The model servers of the settings; none of them has been asked yet.

    Raises:
        SettingsError: with every problem of their settings.
    """
    from smallhours.llm.engines.openai_http import OpenAiHttpEngine
    from smallhours.serve.upstreams.pool import Upstream, UpstreamPool
    from smallhours.serve.upstreams.verify import adapter_name, require_model

    ours = adapter_name(identity)
    model = upstream.model or ours
    # Only the name that holds the hash says whose weights they are.
    who = identity if model == ours else None

    def one(address: str) -> Upstream:
        endpoint = Endpoint(address, model, upstream.key_variable, settings="upstream.")
        engine = OpenAiHttpEngine(
            endpoint,
            key=endpoint.key(os.environ),
            system_prompt=system_prompt,
            identity=who,
            patience=patience(upstream),
            tries=1,
        )
        return Upstream(endpoint.place, engine, lambda: require_model(engine, endpoint, identity))

    upstreams = [one(address.strip()) for address in url.split(",") if address.strip()]
    if not upstreams:
        raise SettingsError("upstream.url: no address in it; write it like http://127.0.0.1:8000/v1")
    return UpstreamPool(upstreams, upstreams[0].engine.identity)
