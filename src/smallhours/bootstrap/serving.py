"""A finished run, served: the assistant, the web app around it, and the socket."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

from smallhours.bootstrap.models import llama_engine
from smallhours.bootstrap.safety import safety_pipeline, sentence_vectors
from smallhours.domain.artifacts import require_manifest
from smallhours.domain.errors import ResourceError, RunError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Engine, ModelIdentity
from smallhours.domain.records import read_examples
from smallhours.domain.settings import ServeSettings, Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from smallhours.serve.assistant import Assistant


def open_assistant(settings: Settings, *, with_model: bool = True, with_base: bool = False) -> Assistant:
    """The assistant of a finished run.

    ``with_model=False`` leaves the model out: crises and vetted answers still work. ``with_base``
    also loads the untouched base, for the policy ``base``.

    Raises:
        RunError: the run has no package, or it is damaged.
    """
    import numpy as np

    from smallhours.export.run import package_identity, require_passing_verdict
    from smallhours.llm.chat_format import chat_format
    from smallhours.serve.assistant import Assistant
    from smallhours.serve.recall import Recall

    folder = settings.run_folder / "package"
    manifest = require_manifest(folder, f"smallhours run --name {settings.name}")
    require_passing_verdict(settings.run_folder)
    pairs = read_examples(folder / "pairs.jsonl")
    try:
        vectors = np.load(folder / "pairs.npy", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise RunError(
            f"{folder / 'pairs.npy'}: damaged ({error}). Delete {folder} to build it afresh."
        ) from None
    identity, config = package_identity(manifest), manifest.config
    prompt, form = str(config["system_prompt"]), chat_format(config["chat_format"])

    def engine(adapter: Path | None, who: ModelIdentity) -> Engine:
        return llama_engine(str(config["base"]), form, adapter, prompt, who, settings.serve)

    return Assistant(
        safety_pipeline(),
        engine(folder / "adapter.gguf", identity) if with_model else None,
        Recall(pairs, sentence_vectors(), vectors),
        settings.generation,
        base_engine=engine(None, ModelIdentity(base=identity.base)) if with_base else None,
    )


def build_app(settings: Settings, assistant: Assistant) -> FastAPI:
    """The web app around an assistant, warmed up so that the first person does not wait."""
    from smallhours.bootstrap.gateway import gateway_parts
    from smallhours.serve.gateway.app import create_app

    parts = gateway_parts(settings)
    assistant.reply(Conversation.of("hello"))
    return create_app(assistant, settings.serve, f"smallhours-{settings.name}", parts)


def bind(serve: ServeSettings) -> socket.socket:
    """The server's socket, bound before any long work so that a taken port is said at once.

    It does not listen yet: until there is something to answer, a browser is refused, not kept waiting.

    Raises:
        ResourceError: the address is in use or not ours.
    """
    family = socket.AF_INET6 if ":" in serve.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((serve.host, serve.port))
        return bound
    except OSError as error:
        bound.close()
        raise ResourceError(
            f"{serve.host}:{serve.port}: cannot listen there ({error.strerror}). "
            "Stop what uses the port, or choose another with --port."
        ) from None
