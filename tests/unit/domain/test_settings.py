"""Settings: defaults, then a file, then variables, then flags; every problem at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhours.domain.errors import SettingsError
from smallhours.domain.settings import known_keys, load_settings


def test_later_sources_win(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[train]\nepochs = 4\nrank = 4\n[serve]\nport = 1111\n")
    environment = {"SMALLHOURS_TRAIN_RANK": "8", "SMALLHOURS_SERVE_PORT": "2222", "PATH": "/bin"}
    settings = load_settings(file, environment, {"serve.port": 3333, "name": None})
    assert (settings.train.epochs, settings.train.rank, settings.serve.port) == (4, 8, 3333)
    assert settings.name == "default"


@pytest.mark.parametrize(
    ("environment", "flags", "parts"),
    [
        ({"SMALLHOURS_TRAIN_EPOCS": "2"}, {}, ["SMALLHOURS_TRAIN_EPOCS", "did you mean 'train.epochs'"]),
        ({"SMALLHOURS_TRAIN_RANK": "many"}, {}, ["SMALLHOURS_TRAIN_RANK", "train.rank", "'many'"]),
        ({}, {"serve.prot": 1}, ["--set serve.prot", "did you mean 'serve.port'"]),
        ({}, {"name": "../escape"}, ["name", "../escape"]),
        ({}, {"serve.port": 99999}, ["serve.port", "99999"]),
        ({}, {"generation.policy": "improvise"}, ["generation.policy", "improvise"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(
    environment: dict[str, str], flags: dict[str, object], parts: list[str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, environment, flags)
    for part in parts:
        assert part in str(caught.value)


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[train]\nepochs = 0\nbatchsize = 2\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {"SMALLHOURS_SEEED": "1"})
    assert len(caught.value.problems) == 3
    assert "did you mean 'train.batch_size'" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "part"), [(None, "no such"), (b"a = [", "not valid TOML"), (b"\xff", "TOML")]
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None, part: str) -> None:
    file = tmp_path / "c.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=part):
        load_settings(file)


@pytest.mark.parametrize("data", ["builtin", "builtin:en+es", "hf:somebody/pairs", "/data/pairs.csv"])
def test_what_is_no_relative_path_stays_as_it_is(tmp_path: Path, data: str) -> None:
    (tmp_path / "c.toml").write_text(f'data = "{data}"\n')
    assert load_settings(tmp_path / "c.toml").data == data


def test_paths_in_a_file_are_relative_to_it_and_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('data = "builtin.csv"\nruns = "out"\n')
    settings = load_settings(tmp_path / "c.toml")
    assert (settings.data, settings.runs) == (str(tmp_path / "builtin.csv"), tmp_path / "out")
    settings = load_settings(tmp_path / "c.toml", {"SMALLHOURS_RUNS": "here"}, {"data": "mine.csv"})
    assert (settings.data, settings.runs) == ("mine.csv", Path("here"))


def test_every_shipped_config_is_valid() -> None:
    root = Path(__file__).parents[3]
    for file in (root / "configs").glob("*.toml"):
        assert load_settings(file).name == file.stem


def test_every_key_of_a_section_has_a_variable_of_its_own() -> None:
    keys = known_keys()
    assert len(keys) == len(set(keys)) and "train.learning_rate" in keys
