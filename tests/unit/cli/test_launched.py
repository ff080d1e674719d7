"""Under a launcher one process speaks, and only work that is shared is done."""

from __future__ import annotations

import pytest

from smallhours.cli.console import announce
from smallhours.cli.launched import tells_of_failure
from smallhours.cli.main import COMMANDS, run


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The first of two processes, as torchrun describes it."""
    for name, value in {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"train"}))
def test_what_each_process_would_do_from_beginning_to_end_is_refused(
    launched: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run([command]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: smallhours {command}: a launcher started 2 processes")
    assert "without the launcher" in line


def test_folds_are_refused(launched: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--folds", "2"]) == 2
    assert "leave the launcher out" in capsys.readouterr().err


@pytest.mark.parametrize(("rank", "said"), [("0", "here\n"), ("1", "")])
def test_one_process_announces(
    launched: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rank: str, said: str
) -> None:
    launched.setenv("RANK", rank)
    announce("here")
    assert capsys.readouterr().err == said


def test_before_they_know_each_other_one_process_of_each_host_tells(launched: pytest.MonkeyPatch) -> None:
    assert tells_of_failure()
    launched.setenv("LOCAL_RANK", "1")
    assert not tells_of_failure()
    launched.setenv("WORLD_SIZE", "1")
    assert tells_of_failure()
