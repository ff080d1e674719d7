"""Schemathesis over our own OpenAPI: whatever is sent, nothing of it is our fault.

A short run here; ``TEST_EXAMPLES=1000 pytest tests/unit/serve/test_openapi.py`` makes a long one.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
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
def api_schema(tmp_path_factory: pytest.TempPathFactory) -> object:
    ours = load_settings(None, {}, {"runs": str(tmp_path_factory.mktemp("fuzz"))})
    limits = GatewaySettings(per_address_minute=0)
    parts = Parts(gateway=limits, memory=ours.memory, open_memory=lambda: remembering.open_room(ours).memory)
    assistant = Assistant(SafetyPipeline(), ScriptedEngine([GOOD]), None, GenerationSettings())
    app = create_app(assistant, ServeSettings(), "smallhours-test", parts)
    return schemathesis.openapi.from_asgi("/openapi.json", app)


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_whatever_is_sent_nothing_is_our_fault(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=[not_a_server_error])


def test_the_description_names_every_call() -> None:
    text = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
    for call in ("/v1/chat/completions", "/v1/memory", "/v1/conversations", "/facts", "/export", "/messages"):
        assert call in text
