"""Schemathesis over our own OpenAPI: whatever is sent, nothing of it is our fault.

A short run here; ``TEST_EXAMPLES=1000 pytest tests/unit/serve/test_openapi.py`` makes a long one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from smallhours.bootstrap import remembering
from smallhours.domain.settings import GatewaySettings, GenerationSettings, ServeSettings, load_settings
from smallhours.llm.engines.scripted import ScriptedEngine
from smallhours.safety.pipeline import SafetyPipeline
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.app import Parts, create_app
from tests.unit.serve.conftest import GOOD

EXAMPLES = int(os.environ.get("TEST_EXAMPLES", "12"))


@pytest.fixture(scope="module")
def api_schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    ours = load_settings(None, {}, {"runs": str(tmp_path_factory.mktemp("fuzz"))})
    limits = GatewaySettings(per_address_minute=0)
    parts = Parts(gateway=limits, memory=ours.memory, open_memory=lambda: remembering.open_room(ours).memory)
    assistant = Assistant(SafetyPipeline(), ScriptedEngine([GOOD]), None, GenerationSettings())
    app = create_app(assistant, ServeSettings(), "smallhours-test", parts)
    return schemathesis.openapi.from_asgi("/openapi.json", app)


def test_whatever_is_sent_nothing_is_our_fault(api_schema: Any) -> None:
    operations = [found.ok() for found in api_schema.get_all_operations()]
    assert len(operations) >= 12

    for operation in operations:

        @settings(
            max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
        )
        @given(case=operation.as_strategy())
        def send(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=[not_a_server_error])

        send()


def test_a_page_shows_every_call_without_a_script_from_elsewhere(api_schema: Any) -> None:
    page = TestClient(api_schema.app).get("/docs")
    for call in ("POST /v1/chat/completions", "POST /v1/conversations/{name}/messages", "GET /v1/memory"):
        assert call in page.text
    assert "<script" not in page.text and "smallhours-token" in page.text.lower()


def test_the_description_names_every_call() -> None:
    text = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
    for call in ("/v1/chat/completions", "/v1/memory", "/v1/conversations", "/facts", "/export", "/messages"):
        assert call in text
