"""A real server on loopback: the real app and safety path, a scripted model, and real Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smallhours.corpus.sources import builtin_pairs
from smallhours.domain.messages import Conversation
from smallhours.domain.settings import GenerationSettings, ServeSettings
from smallhours.llm.engines.scripted import ScriptedEngine
from smallhours.safety.pipeline import SafetyPipeline
from smallhours.semantics.vectors import SentenceVectors
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.app import create_app
from smallhours.serve.recall import Recall
from tests.e2e.serving import QUIET, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.e2e.chat_kit import StandIn

ANSWER = (
    "Lying awake with a busy head is hard. Write tomorrow's first task on paper, then put the paper "
    "in another room. If nights stay like this for a while, a doctor can look at it with you."
)


@pytest.fixture(scope="package")
def assistant() -> Assistant:
    encoder = SentenceVectors()
    assistant = Assistant(
        SafetyPipeline(),
        ScriptedEngine([ANSWER]),
        Recall.of(builtin_pairs("98"), encoder),
        GenerationSettings(),
    )
    assistant.reply(Conversation.of("hello"))  # as the real server does, so that the first page does not wait
    return assistant


@pytest.fixture(scope="package")
def chat_url(assistant: Assistant) -> Iterator[str]:
    with serving(create_app(assistant, ServeSettings(), "smallhours-test")) as url:
        yield url


@pytest.fixture(scope="package")
def chromium_path() -> str:
    for candidate in (os.environ.get("CHROMIUM", ""), "/usr/bin/chromium", "/usr/bin/chromium-browser"):
        if candidate and Path(candidate).is_file():
            return candidate
    pytest.fail("no Chromium: 'make test' installs one, or set CHROMIUM to its path")


@pytest.fixture(scope="package")
def browser(chromium_path: str) -> Iterator[Browser]:
    driver = pytest.importorskip("playwright.sync_api")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, chat_url: str) -> Iterator[Page]:
    """The page, open on a phone."""
    from tests.e2e.chat_kit import PHONE

    context = browser.new_context(viewport=PHONE, locale="en-US")
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(chat_url)
    yield page
    context.close()


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """Answers in the server's place."""
    from tests.e2e.chat_kit import StandIn

    stand_in = StandIn()
    yield stand_in
    stand_in.go.set()
    stand_in.server.shutdown()
    stand_in.server.server_close()
