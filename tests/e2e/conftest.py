"""A real server on loopback: the real app and safety path, a scripted model, and real Chromium."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from smallhours.corpus.sources import builtin_pairs
from smallhours.domain.settings import GenerationSettings, ServeSettings
from smallhours.llm.engines.scripted import ScriptedEngine
from smallhours.safety.pipeline import SafetyPipeline
from smallhours.semantics.vectors import SentenceVectors
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.app import create_app
from smallhours.serve.recall import Recall

ANSWER = (
    "Lying awake with a busy head is hard. Write tomorrow's first task on paper, then put the paper "
    "in another room. If nights stay like this for a while, a doctor can look at it with you."
)


@pytest.fixture(scope="session")
def chat_url() -> Iterator[str]:
    encoder = SentenceVectors()
    assistant = Assistant(
        SafetyPipeline(),
        ScriptedEngine([ANSWER]),
        Recall.of(builtin_pairs("98"), encoder),
        GenerationSettings(),
    )
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(assistant, ServeSettings(), "smallhours-test")
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    for candidate in (os.environ.get("CHROMIUM", ""), "/usr/bin/chromium", "/usr/bin/chromium-browser"):
        if candidate and Path(candidate).is_file():
            return candidate
    pytest.fail("no Chromium: 'make test' installs one, or set CHROMIUM to its path")
