"""The gateway of the serving bench: ``python -m bench.serving.gateway PORT URL MODEL [KEY=VALUE ...]``.

All of it is what ``smallhours serve`` runs, settings included, but for the assistant: one candidate a message
and no vetted answer before it, so that the model server at URL has the same work as when it is asked without
us. Nobody is limited unless a setting says so: a bench comes from one address.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress

from smallhours.bootstrap import gateway, serving
from smallhours.bootstrap.models import upstream_pool
from smallhours.bootstrap.safety import safety_pipeline, sentence_vectors
from smallhours.corpus.sources import builtin_pairs
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import ModelIdentity
from smallhours.domain.settings import Settings, load_settings
from smallhours.serve.assistant import Assistant
from smallhours.serve.recall import Recall

SYSTEM = "You are a warm, calm support assistant, not a therapist."
STREAMS = 16
TOKENS = 64  # of an answer, at most
KEY = "BENCH_KEY"  # the variable with the model server's key, if it wants one


def settings_of(port: int, url: str, model: str, more: dict[str, object]) -> Settings:
    """The settings; ``more`` by dotted keys."""
    ours: dict[str, object] = {
        "serve.port": port,
        "serve.parallel": STREAMS,
        "generation.policy": "generate",
        "generation.max_tokens": TOKENS,
        "gateway.per_address_minute": 0,
        "memory.enabled": False,
        "upstream.url": url,
        "upstream.model": model,
        "upstream.key_variable": KEY if KEY in os.environ else None,
    }
    return load_settings(None, {}, ours | more)


def main() -> None:
    """Serve until the parent ends us."""
    port, url, model, *given = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="smallhours-bench-") as runs:
        more = dict(one.split("=", 1) for one in given)
        settings = settings_of(int(port), url, model, {"runs": runs, **more})
        bound = serving.bind(settings.serve)
        engine = upstream_pool(settings.upstream, url, SYSTEM, ModelIdentity(base="bench"))
        recall = Recall.of(builtin_pairs("98"), sentence_vectors())
        assistant = Assistant(safety_pipeline(), engine, recall, settings.generation)
        assistant.reply(Conversation.of("hello"))
        try:
            with suppress(KeyboardInterrupt):
                gateway.run_server(settings, serving.build_app(settings, assistant), bound)
        finally:
            assistant.close()


if __name__ == "__main__":
    main()
