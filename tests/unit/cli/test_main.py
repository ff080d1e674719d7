"""Exit codes and one clear line per error."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhours import __version__
from smallhours.cli.main import COMMANDS, run


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"smallhours {name}" in shown or name == "corpus"


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["walk"], "walk"),
        (["run", "--data", "nowhere.csv", "--no-serve"], "nowhere.csv"),
        (["run", "--base", "gpt-9", "--no-serve"], "gpt-9"),
        (["run", "--set", "train.epochs", "--no-serve"], "KEY=VALUE"),
        (["run", "--config", "nowhere.toml", "--no-serve"], "nowhere.toml"),
        (["train", "ghost"], "smallhours corpus build"),
        (["evaluate", "ghost"], "smallhours corpus build"),
        (["export", "ghost"], "smallhours evaluate"),
        (["export", "ghost", "--to", "tarball"], "tarball"),
        (["chat", "ghost"], "smallhours run --name ghost"),
        (["serve", "ghost", "--port", "0"], "smallhours run --name ghost"),
        (["answer", "ghost", "--in", "a", "--out", "b"], "smallhours run --name ghost"),
        (["corpus", "show", "ghost"], "ghost"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(
    arguments: list[str],
    part: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    shown = capsys.readouterr().err
    assert part in shown and "Traceback" not in shown
    assert not (tmp_path / "runs" / "ghost").exists()


def test_a_taken_port_is_said_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["run", "--port", str(port)]) == 3
    shown = capsys.readouterr().err
    assert str(port) in shown and "--port" in shown
    assert not (tmp_path / "runs").exists()


def test_corpus_check_finds_the_built_in_pairs_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["corpus", "check"]) == 0
    assert "1,111" in capsys.readouterr().out
