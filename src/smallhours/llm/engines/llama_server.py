"""llama.cpp's own server, opened in this process. The standard library is all that importing it loads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smallhours.domain.errors import EngineError

_QUIET = -1
_PROMPT_CACHE_MIB = 128  # beside the slots' own; llama.cpp's default is 8 GiB


@dataclass(frozen=True)
class LlamaOptions:
    """A GGUF base with an optional GGUF LoRA adapter, and how it is run.

    One server has one adapter: llama.cpp's prompt cache does not know which adapter filled it.

    Args:
        context: tokens of prompt and answer together, for each of ``parallel`` generations.
        threads: CPU threads; 0 means all cores.
        port: of the HTTP server on loopback; 0 takes a free one.
        key: what a client has to show as a bearer token, if any.
    """

    weights: str
    adapter: str | None = None
    context: int = 2048
    parallel: int = 4
    threads: int = 0
    port: int = 0
    key: str = ""


def open_server(options: LlamaOptions) -> Any:
    """An ``xllamacpp.Server``, listening on loopback.

    Raises:
        EngineError: the weights cannot be loaded.
    """
    import xllamacpp

    threads = options.threads or os.cpu_count() or 1
    params = xllamacpp.CommonParams()
    params.model.path = options.weights
    if options.adapter is not None:
        lora = xllamacpp.CommonAdapterLoraInfo()
        lora.path, lora.scale = options.adapter, 1.0
        params.lora_adapters = [lora]
    params.n_ctx = options.context * options.parallel
    params.n_parallel = options.parallel
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.port = options.port
    params.api_keys = [options.key] if options.key else []
    params.endpoint_slots = params.ui = params.warmup = False
    params.endpoint_metrics = True
    params.verbosity = _QUIET
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise EngineError(f"{Path(options.weights).name}: llama.cpp cannot load it: {error}") from error
