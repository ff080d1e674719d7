"""``smallhours doctor``: lines for a person, an object for a program, and what the exit code means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from smallhours.bootstrap import doctor
from smallhours.bootstrap.doctor.check import Check, error, ok, warning
from smallhours.cli.main import run
from smallhours.domain.settings import Settings

FINE = [ok("python", "3.11.7"), warning("fixed replies", "signed off by nobody", "let a clinician read them")]
BAD = [*FINE, error("helplines", "1 of 2 overdue", "open the page", ["GB Line: checked 2026-01-01"])]


@pytest.fixture(params=[FINE, BAD], ids=["fine", "bad"])
def found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    checks: list[Check] = request.param

    def examine(settings: Settings) -> Iterator[Check]:
        assert settings.name == "mine"
        yield from checks

    monkeypatch.setattr(doctor, "examine", examine)
    return checks


def test_a_warning_is_fine_and_an_error_is_not(
    found: list[Check], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "mine"]) == (1 if found is BAD else 0)
    out = capsys.readouterr().out.splitlines()
    assert out[:3] == [
        "ok       python: 3.11.7",
        "warning  fixed replies: signed off by nobody",
        "         → let a clinician read them",
    ]
    assert ("           GB Line: checked 2026-01-01" in out) is (found is BAD)
    assert out[-1] == f"1 ok, 1 warning, {1 if found is BAD else 0} error"


def test_programs_get_one_object(found: list[Check], capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["doctor", "mine", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is (code == 0) is (found is FINE)
    assert said["checks"][1] == {
        "name": "fixed replies",
        "state": "warning",
        "said": "signed off by nobody",
        "remedy": "let a clinician read them",
        "details": [],
    }


def test_an_edited_helpline_file_is_checked_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited = tmp_path / "oceania.toml"
    edited.write_text('[AU]\nname = "Australia"\n')
    assert run(["doctor", "--helplines", str(edited)]) == 1
    out = capsys.readouterr().out
    assert "oceania.toml [AU] emergency: Field required" in out and "python" not in out


def test_a_setting_that_does_not_exist_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--set", "serve.prot=1"]) == 2
    assert "serve.port" in capsys.readouterr().err
