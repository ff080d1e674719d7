"""The gateway of the serving bench: ``python -m bench.serving_gateway PORT URL MODEL``.

One candidate a message and no vetted answer before it, so that the model server at URL has the same work as
when it is asked without us.
"""

from __future__ import annotations

import os
import sys

import uvicorn

from smallhours.bootstrap.models import upstream_pool
from smallhours.corpus.sources import builtin_pairs
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import ModelIdentity
from smallhours.domain.settings import GenerationSettings, ServeSettings, UpstreamSettings
from smallhours.safety.pipeline import SafetyPipeline
from smallhours.semantics.vectors import shared_vectors
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.app import create_app
from smallhours.serve.recall import Recall

SYSTEM = "You are a warm, calm support assistant, not a therapist."
STREAMS = 16
TOKENS = 64  # of an answer, at most


def main() -> None:
    """Serve until the parent ends us."""
    port, url, model = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    variable = "BENCH_KEY" if "BENCH_KEY" in os.environ else None
    upstream = UpstreamSettings(url=url, model=model, key_variable=variable)
    engine = upstream_pool(upstream, url, SYSTEM, ModelIdentity(base="bench"))
    settings = GenerationSettings(policy="generate", max_tokens=TOKENS)
    recall = Recall.of(builtin_pairs("98"), shared_vectors())
    assistant = Assistant(SafetyPipeline(), engine, recall, settings)
    assistant.reply(Conversation.of("hello"))
    app = create_app(assistant, ServeSettings(parallel=STREAMS), "bench")
    try:
        uvicorn.run(app, port=port, log_level="warning", access_log=False)
    finally:
        assistant.close()


if __name__ == "__main__":
    main()
