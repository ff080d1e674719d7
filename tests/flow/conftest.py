"""One real tiny run, shared by the tests of this folder: real pairs, real model, a few real steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhours.cli.main import run
from smallhours.domain.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs" / "tiny.toml"


@pytest.fixture(scope="session")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return ["--config", str(CONFIG), "--set", f"runs={tmp_path_factory.mktemp('runs')}"]


@pytest.fixture(scope="session")
def finished(arguments: list[str]) -> Settings:
    assert run(["run", "--no-serve", *arguments]) == 0
    return load_settings(CONFIG, {}, {"runs": arguments[-1].removeprefix("runs=")})


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in pairs as a dataset, to be copied into run folders."""
    runs = tmp_path_factory.mktemp("dataset")
    assert run(["corpus", "build", "--config", str(CONFIG), "--set", f"runs={runs}"]) == 0
    return runs / "tiny" / "dataset"
