"""The files in deploy/: what they set exists, and what they have to have is there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from smallhours.cli.main import main
from smallhours.domain.settings import known_keys, load_settings
from smallhours.domain.settings.loading import NOT_SETTINGS

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_the_settings_of_the_units_are_settings() -> None:
    settings = load_settings(DEPLOY / "systemd" / "smallhours.toml", {})
    unit = (DEPLOY / "systemd" / "smallhours@.service").read_text()
    stop = int(re.search(r"TimeoutStopSec=(\d+)", unit)[1])  # type: ignore[index]
    assert stop > settings.gateway.drain_seconds
    # Told to stop with its gateway, the model's process would be gone before the last reply.
    assert "KillMode=mixed" in unit
    assert settings.memory.key_url != settings.memory.url


# Of the compose file itself, for PostgreSQL; and how any setting is written.
NO_SETTING = {"SMALLHOURS_DATABASE_PASSWORD", "SMALLHOURS_SECTION_KEY", *NOT_SETTINGS}
EXAMPLES = {
    "MEMORY_URL": "postgresql://u@h/n",
    "KEY_URL": "postgresql://u@h/k",
    "MASTER": "file:m",
    "REDIS": "redis://h",
    "LOG": "json",
    "SECONDS": "5",
    "UPSTREAM_URL": "http://h/v1",
}


def variables(path: Path) -> set[str]:
    return set(re.findall(r"\bSMALLHOURS_[A-Z_]+\b", path.read_text(encoding="utf-8"))) - NO_SETTING


@pytest.mark.parametrize("name", ["compose/compose.yaml", "kubernetes/gateway.yaml"])
def test_every_variable_is_a_setting(name: str) -> None:
    found = variables(DEPLOY / name)
    values = {v: next((e for end, e in EXAMPLES.items() if v.endswith(end)), "x") for v in found}
    assert len(found) >= 8 and load_settings(None, values)


@pytest.mark.parametrize("path", sorted(p for p in DEPLOY.rglob("*") if p.is_file()), ids=lambda p: p.name)
def test_no_file_sets_a_variable_that_is_no_setting(path: Path) -> None:
    keys = {f"SMALLHOURS_{key.replace('.', '_').upper()}" for key in known_keys()}
    assert variables(path) <= keys


# A command of ours, as far as its line, its code span or its list of words goes.
_CALL = re.compile(r"(?<![\w./-])(?:/opt/smallhours/bin/)?smallhours ((?:[a-z]+ ?)+[^`)\n]*)")
_WORDS = re.compile(r'(?:CMD|args:) \[(serve[^\]]*)\]|CMD \["(serve.*)"\]')


def calls() -> Iterator[tuple[str, list[str]]]:
    """File and words of every call of our command line in deploy/."""
    for path in sorted(p for p in DEPLOY.rglob("*") if p.is_file()):
        text = path.read_text(encoding="utf-8")
        for line in _CALL.findall(text):
            yield path.name, line.split("   ")[0].split()
        for found in _WORDS.finditer(text):
            yield path.name, re.findall(r"[\w./-]+", found[0].partition("[")[2])


def command_of(words: list[str]) -> click.Command | None:
    """What click finds by the first words; None where they are prose, not a call."""
    found: click.Command | None = main
    for word in words:
        if not isinstance(found, click.Group) or word.startswith("-"):
            break
        found = found.get_command(click.Context(found), word)
    return None if found is main else found


def test_every_command_and_flag_exists() -> None:
    seen = set()
    for name, words in calls():
        command = command_of(words)
        if command is None:
            continue
        known = {option for parameter in command.params for option in parameter.opts}
        for at, word in enumerate(words):
            if word.startswith("--"):
                assert word in known, f"{name}: smallhours {' '.join(words)}: no flag {word}"
                seen.add((name, word))
            if word == "--set":
                assert words[at + 1].partition("=")[0] in known_keys(), f"{name}: {words[at + 1]}"
    assert {
        ("Dockerfile", "--host"),
        ("gateway.yaml", "--host"),
        ("smallhours@.service", "--port"),
        ("smallhours-audit.service", "--config"),
        ("compose.yaml", "--set"),
        ("README.md", "--to"),
    } <= seen


@pytest.mark.parametrize("name", ["compose/Dockerfile", "README.md"])
def test_what_several_gateways_need_is_installed_in_the_versions_that_are_tested(name: str) -> None:
    locked = (Path(__file__).parents[2] / "requirements-dev.lock").read_text().splitlines()
    pinned = re.findall(r"\b(?:asyncpg|redis)==[\w.]+", (DEPLOY / name).read_text())
    assert len(pinned) == 2 and set(pinned) <= set(locked)


def test_the_units_name_the_same_upstream_as_their_model_server() -> None:
    lines = (DEPLOY / "systemd" / "environment").read_text().splitlines()
    shown = dict(re.findall(r"^#([A-Z_]+)=(.*)$", "\n".join(lines), re.MULTILINE))
    upstream = load_settings(None, {k: v for k, v in shown.items() if k.startswith("SMALLHOURS_")}).upstream
    unit = (DEPLOY / "systemd" / "smallhours-vllm.service").read_text()
    assert upstream.url == "http://127.0.0.1:8000/v1" and "--host 127.0.0.1 --port 8000" in unit
    assert upstream.key_variable in shown and "${VLLM_MODEL_NAME}" in unit and "VLLM_MODEL_NAME" in shown
    gateway = (DEPLOY / "systemd" / "smallhours@.service").read_text()
    (read,) = re.findall(r"^EnvironmentFile=-?(.*)$", gateway, re.MULTILINE)
    assert f"EnvironmentFile={read}" in unit


def test_gateways_in_a_cluster_ask_the_model_server_with_its_key() -> None:
    gateway, *_ = yaml.safe_load_all((DEPLOY / "kubernetes" / "gateway.yaml").read_text())
    server, service = yaml.safe_load_all((DEPLOY / "kubernetes" / "vllm.yaml").read_text())
    (asking,) = gateway["spec"]["template"]["spec"]["containers"]
    (asked,) = server["spec"]["template"]["spec"]["containers"]
    env = {one["name"]: one for one in asking["env"]}
    port = service["spec"]["ports"][0]["port"]
    url = f"http://{service['metadata']['name']}:{port}/v1"
    assert env["SMALLHOURS_UPSTREAM_URL"]["value"] == url
    key = env["SMALLHOURS_UPSTREAM_KEY_VARIABLE"]["value"]
    assert env[key] == next(one for one in asked["env"] if one["name"] == "VLLM_API_KEY")
    assert service["spec"]["selector"] == server["spec"]["template"]["metadata"]["labels"]
    resources = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert sorted(resources) == sorted(
        p.name for p in (DEPLOY / "kubernetes").glob("*.yaml") if p.name != "kustomization.yaml"
    )


def test_a_cluster_sends_people_to_a_gateway_whose_model_is_away() -> None:
    deployment, *_ = yaml.safe_load_all((DEPLOY / "kubernetes" / "gateway.yaml").read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    probes = {container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
    assert probes == {"/livez"}


def test_composed_gateways_have_an_upstream_by_profile_alone() -> None:
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
    gateway, server = compose["services"]["gateway-1"], compose["services"]["vllm"]
    assert server["profiles"] == ["vllm"] and "vllm" not in gateway["depends_on"]
    assert gateway["environment"]["SMALLHOURS_UPSTREAM_URL"] == "${SMALLHOURS_UPSTREAM_URL:-}"
    assert load_settings(None, {"SMALLHOURS_UPSTREAM_URL": ""}).upstream.url == ""
    key = gateway["environment"]["SMALLHOURS_UPSTREAM_KEY_VARIABLE"]
    assert gateway["environment"][key] == server["environment"]["VLLM_API_KEY"] == "${VLLM_API_KEY:-}"


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
    keys = gateway["environment"]["SMALLHOURS_MEMORY_KEY_URL"].rpartition("/")[2]
    assert f"CREATE DATABASE {keys};" in (DEPLOY / "compose" / "keys.sql").read_text()
    assert set(compose["services"]) == {"gateway-1", "gateway-2", "proxy", "postgres", "redis", "vllm"}


def test_no_container_is_given_an_address_that_another_names_as_its_own() -> None:
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
    (pool,) = compose["networks"]["inside"]["ipam"]["config"]
    networks = {name: one["networks"] for name, one in compose["services"].items()}
    own = {name: n["inside"]["ipv4_address"] for name, n in networks.items() if isinstance(n, dict)}
    assert set(own) == {"gateway-1", "gateway-2", "proxy"} and len(set(own.values())) == 3
    for address in map(ipaddress.ip_address, own.values()):
        assert address in ipaddress.ip_network(pool["subnet"])
        assert address not in ipaddress.ip_network(pool["ip_range"])
    trusted = compose["services"]["gateway-1"]["environment"]["SMALLHOURS_GATEWAY_PROXIES"]
    assert trusted == own["proxy"]


def test_a_cluster_has_the_redis_that_its_gateways_name() -> None:
    gateway, *_ = yaml.safe_load_all((DEPLOY / "kubernetes" / "gateway.yaml").read_text())
    redis, service = yaml.safe_load_all((DEPLOY / "kubernetes" / "redis.yaml").read_text())
    (container,) = gateway["spec"]["template"]["spec"]["containers"]
    url = next(e["value"] for e in container["env"] if e["name"] == "SMALLHOURS_GATEWAY_REDIS")
    assert url == f"redis://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}/0"
    assert service["spec"]["selector"] == redis["spec"]["template"]["metadata"]["labels"]
