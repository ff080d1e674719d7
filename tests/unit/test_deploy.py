"""The files in deploy/: what they set exists, and what they have to have is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from smallhours.domain.settings import load_settings

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_the_settings_of_the_units_are_settings() -> None:
    settings = load_settings(DEPLOY / "systemd" / "smallhours.toml", {})
    unit = (DEPLOY / "systemd" / "smallhours@.service").read_text()
    stop = int(re.search(r"TimeoutStopSec=(\d+)", unit)[1])  # type: ignore[index]
    assert stop > settings.gateway.drain_seconds


@pytest.mark.parametrize("name", ["compose/compose.yaml", "kubernetes/gateway.yaml"])
def test_every_variable_is_a_setting(name: str) -> None:
    text = (DEPLOY / name).read_text()
    variables = set(re.findall(r"\b(SMALLHOURS_(?!DATABASE)[A-Z_]+)\b", text))
    examples = {
        "URL": "postgresql://u@h/n",
        "MASTER": "file:m",
        "REDIS": "redis://h",
        "LOG": "json",
        "SECONDS": "5",
    }
    values = {v: next((e for end, e in examples.items() if v.endswith(end)), "x") for v in variables}
    assert len(variables) >= 5 and load_settings(None, values)


def test_a_cluster_probes_drains_and_keeps_one_gateway() -> None:
    deployment, budget, _ = yaml.safe_load_all((DEPLOY / "kubernetes" / "gateway.yaml").read_text())
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {"livenessProbe", "readinessProbe", "startupProbe", "lifecycle"} <= set(container)
    drain = next(int(e["value"]) for e in container["env"] if e["name"].endswith("DRAIN_SECONDS"))
    assert pod["terminationGracePeriodSeconds"] > drain + int(
        container["lifecycle"]["preStop"]["exec"]["command"][1]
    )
    assert budget["kind"] == "PodDisruptionBudget" and budget["spec"]["minAvailable"] == 1
    assert container["securityContext"]["readOnlyRootFilesystem"]


def test_the_compose_file_holds_no_secret() -> None:
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
    gateway = compose["services"]["gateway-1"]
    assert "${SMALLHOURS_DATABASE_PASSWORD}" in gateway["environment"]["SMALLHOURS_MEMORY_URL"]
    assert gateway["read_only"] and gateway["secrets"] == ["master_key"] and gateway["healthcheck"]
    assert set(compose["services"]) == {"gateway-1", "gateway-2", "proxy", "postgres", "redis"}
