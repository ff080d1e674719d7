"""What a server serves is asked before anybody hears it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from smallhours.domain.endpoint import Endpoint
from smallhours.domain.errors import EngineError, SettingsError
from smallhours.domain.ports import ModelIdentity
from smallhours.llm.engines.openai_http import OpenAiHttpEngine
from smallhours.serve.upstreams.verify import adapter_name, require_model
from tests.unit.fake_endpoint import endpoint, says

WEIGHTS = b"weights"
OURS = ModelIdentity(base="b" * 64, adapter=hashlib.sha256(WEIGHTS).hexdigest())
NAME = adapter_name(OURS)


def check(listed: list[dict[str, Any]] | None, model: str = NAME) -> None:
    with endpoint(says("Rest."), models=listed) as fake:
        at = Endpoint(fake.url, model, settings="upstream.")
        require_model(OpenAiHttpEngine(at), at, OURS)


def test_the_name_of_an_adapter_holds_its_hash() -> None:
    assert f"smallhours-{(OURS.adapter or '')[:12]}" == NAME


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param([{"id": "base"}, {"id": NAME, "parent": "base"}], id="vLLM"),
        pytest.param([{"id": f"{NAME}:latest"}], id="Ollama"),
        pytest.param([{"id": NAME, "root": "/not/on/this/machine"}], id="elsewhere"),
        pytest.param(None, id="a server without a list is believed"),
    ],
)
def test_a_server_of_this_runs_adapter_passes(listed: list[dict[str, Any]] | None) -> None:
    check(listed)


@pytest.mark.parametrize(
    ("listed", "model", "told"),
    [
        ([{"id": "llama-3"}], NAME, f"serves llama-3, but not '{NAME}'.*export --to peft.*upstream.model"),
        ([{"id": "smallhours-000000000000"}], NAME, "is another run's adapter: load this run's"),
        ([{"id": "my-model"}], "my-modle", "did you mean 'my-model'"),
        ([], NAME, "serves no model"),
    ],
)
def test_another_model_is_one_clear_error(listed: list[dict[str, Any]], model: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        check(listed, model)


def test_weights_on_this_machine_are_hashed(tmp_path: Path) -> None:
    weights = tmp_path / "adapter_model.safetensors"
    listed = [{"id": NAME, "root": str(tmp_path)}]
    weights.write_bytes(WEIGHTS)
    check(listed)
    weights.write_bytes(b"older weights")
    with pytest.raises(SettingsError, match="are not this run's"):
        check(listed)


def test_a_server_that_is_away_is_no_fault_of_the_settings() -> None:
    with endpoint(says("Rest.")) as gone:
        pass
    at = Endpoint(gone.url, NAME, settings="upstream.")
    with pytest.raises(EngineError, match="no connection"):
        require_model(OpenAiHttpEngine(at), at, OURS)
