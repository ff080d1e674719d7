"""A finished run, served: the assistant, the web app around it, and the socket."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smallhours.bootstrap.admission import ON_PAGE
from smallhours.bootstrap.models import llama_engine, model_server, supervised_engine, upstream_pool
from smallhours.bootstrap.safety import safety_pipeline, sentence_vectors
from smallhours.domain.artifacts import require_manifest
from smallhours.domain.errors import ResourceError, RunError
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import Engine, ModelIdentity
from smallhours.domain.records import read_examples
from smallhours.domain.settings import ServeSettings, Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from smallhours.llm.chat_format import ChatFormat
    from smallhours.serve.assistant import Assistant
    from smallhours.serve.recall import Recall


Announce = Callable[[str], None]
LOADING = 15.0  # seconds that the start waits for the model; the crisis path waits no longer


def open_assistant(
    settings: Settings, *, with_model: bool = True, with_base: bool = False, unsafe: bool = False
) -> Assistant:
    """The assistant of a finished run, its model in this process.

    ``with_model=False`` leaves the model out: crises and vetted answers still work. ``with_base``
    also loads the untouched base, for the policy ``base``. ``unsafe`` asks for no verdict (``admission``).

    Raises:
        RefusedError: no passing verdict for exactly these weights.
        RunError: the run has no package, or it is damaged.
        EngineError: the model cannot be loaded.
    """
    from smallhours.serve.assistant import Assistant

    package = _Package.of(settings, unsafe=unsafe)
    return Assistant(
        safety_pipeline(),
        package.engine(package.tuned) if with_model else None,
        package.recall(),
        settings.generation,
        base_engine=package.engine(package.untouched) if with_base else None,
    )


def open_served(settings: Settings, announce: Announce, *, unsafe: bool = False) -> Assistant:
    """The assistant of a finished run as a server needs it, warm: the model of its policy in a process of its
    own, or the upstreams of the settings in its place.

    A model that is still loading after :data:`LOADING` seconds is not waited for. ``unsafe`` asks for no
    verdict (``admission``).

    Raises:
        RefusedError: no passing verdict for exactly these weights.
        RunError: the run has no package, or it is damaged.
        SettingsError: an upstream serves something else than this run.
        EngineError: the model cannot be loaded.
    """
    from smallhours.serve.assistant import Assistant

    package, policy = _Package.of(settings, unsafe=unsafe), settings.generation.policy
    answers = package.tuned if policy != "base" else package.untouched
    server = None
    engine: Engine | None = None
    if settings.upstream.url and policy in ("grounded", "generate"):
        engine = _remote(settings, package.prompt, package.tuned.identity, announce)
    elif policy != "vetted":
        # First the model: its process loads while this one does.
        server = model_server(package.base, answers.identity, answers.adapter, settings.serve)
        engine = supervised_engine(server, package.form, package.prompt, answers.identity, settings.upstream)
    tuned, untouched = (None, engine) if policy == "base" else (engine, None)
    assistant = Assistant(
        safety_pipeline(), tuned, package.recall(), settings.generation, base_engine=untouched
    )
    # Every part is loaded now, so that the first person does not wait.
    assistant.reply(Conversation.of("hello"))
    if server and not server.wait(LOADING):
        announce("the model is still loading; until it answers, vetted answers stand in")
    return assistant


@dataclass(frozen=True)
class _Weights:
    adapter: Path | None
    identity: ModelIdentity


@dataclass(frozen=True)
class _Package:
    """What a run's package says about its model."""

    folder: Path
    base: str
    form: ChatFormat
    prompt: str
    tuned: _Weights
    serve: ServeSettings

    @classmethod
    def of(cls, settings: Settings, *, unsafe: bool = False) -> _Package:
        from smallhours.export.run import package_identity, require_passing_verdict
        from smallhours.llm.chat_format import chat_format

        folder = settings.run_folder / "package"
        manifest = require_manifest(folder, f"smallhours run --name {settings.name}")
        if not unsafe:
            require_passing_verdict(settings.run_folder)
        config = manifest.config
        return cls(
            folder,
            str(config["base"]),
            chat_format(config["chat_format"]),
            str(config["system_prompt"]),
            _Weights(folder / "adapter.gguf", package_identity(manifest)),
            settings.serve,
        )

    @property
    def untouched(self) -> _Weights:
        return _Weights(None, ModelIdentity(base=self.tuned.identity.base))

    def engine(self, weights: _Weights) -> Engine:
        return llama_engine(self.base, self.form, weights.adapter, self.prompt, weights.identity, self.serve)

    def recall(self) -> Recall:
        import numpy as np

        from smallhours.serve.recall import Recall

        pairs = read_examples(self.folder / "pairs.jsonl")
        try:
            vectors = np.load(self.folder / "pairs.npy", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise RunError(
                f"{self.folder / 'pairs.npy'}: damaged ({error}). Delete {self.folder} to build it afresh."
            ) from None
        return Recall(pairs, sentence_vectors(), vectors)


def _remote(settings: Settings, prompt: str, identity: ModelIdentity, announce: Announce) -> Engine:
    pool = upstream_pool(settings.upstream, settings.upstream.url or "", prompt, identity)
    for caution in pool.check():
        announce(f"warning: {caution}. Until it answers, vetted answers stand in")
    return pool


def build_app(settings: Settings, assistant: Assistant, *, unsafe: bool = False) -> FastAPI:
    """The web app around an assistant; ``unsafe``: the page says that its weights were let past the gate."""
    from smallhours.bootstrap.gateway import gateway_parts
    from smallhours.serve.gateway.app import create_app

    parts = gateway_parts(settings)
    notice = ON_PAGE if unsafe else ""
    return create_app(assistant, settings.serve, f"smallhours-{settings.name}", parts, notice)


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
