"""A folder with a manifest is a result; one without is not."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from smallhours.domain.artifacts import (
    amended_folder,
    fingerprint,
    hash_folder,
    is_current,
    read_manifest,
    require_manifest,
    staged_folder,
    write_aside,
)
from smallhours.domain.errors import ResourceError, RunError

WHAT: dict[str, Any] = {"stage": "demo", "inputs": {"data": "abc"}, "config": {"rank": 4}, "seed": 7}
WANTED = fingerprint("demo", {"data": "abc"}, {"rank": 4}, 7)


def build(target: Path, text: str = "done") -> None:
    with staged_folder(target, figures={"n": 1}, **WHAT) as folder:
        (folder / "result.txt").write_text(text)


def test_a_finished_folder_is_described_and_current(tmp_path: Path) -> None:
    build(tmp_path / "out")
    manifest = require_manifest(tmp_path / "out", "demo")
    assert manifest.figures == {"n": 1} and manifest.seed == 7
    assert set(manifest.files) == {"result.txt"}
    assert is_current(tmp_path / "out", WANTED)
    assert not (tmp_path / "out.partial").exists()


@pytest.mark.parametrize("change", [{"inputs": {"data": "xyz"}}, {"config": {"rank": 8}}, {"seed": 8}])
def test_any_changed_input_makes_it_stale(tmp_path: Path, change: dict[str, Any]) -> None:
    build(tmp_path / "out")
    other = {**WHAT, **change}
    assert not is_current(
        tmp_path / "out", fingerprint("demo", other["inputs"], other["config"], other["seed"])
    )


def test_a_missing_file_makes_it_stale(tmp_path: Path) -> None:
    build(tmp_path / "out")
    (tmp_path / "out" / "result.txt").unlink()
    assert not is_current(tmp_path / "out", WANTED)


@pytest.mark.parametrize("error", [RuntimeError("broke"), KeyboardInterrupt()])
def test_a_failure_keeps_the_old_result_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    build(tmp_path / "out", "old")
    with pytest.raises(type(error)), staged_folder(tmp_path / "out", figures={}, **WHAT) as folder:
        (folder / "result.txt").write_text("half")
        raise error
    assert (tmp_path / "out" / "result.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    with (
        pytest.raises(ResourceError, match="no space left"),
        staged_folder(tmp_path / "out", figures={}, **WHAT),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_a_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    build(tmp_path / "out")
    path = tmp_path / "out" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 999}))
    with pytest.raises(RunError, match=r"format 999.*--name"):
        read_manifest(tmp_path / "out")


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1}', ""])
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: str) -> None:
    build(tmp_path / "out")
    (tmp_path / "out" / "manifest.json").write_text(content)
    with pytest.raises(RunError, match="out"):
        read_manifest(tmp_path / "out")


def test_a_missing_folder_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="smallhours train"):
        require_manifest(tmp_path / "none", "smallhours train")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_aside(tmp_path / "a" / "f", b"one")
    write_aside(tmp_path / "a" / "f", b"two")
    assert (tmp_path / "a" / "f").read_bytes() == b"two"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["f"]


def test_a_folders_hash_follows_names_and_contents_alone(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "a.toml").write_text("x")
    first = hash_folder(tmp_path)
    (tmp_path / "__pycache__" / "a.pyc").write_text("y")
    assert hash_folder(tmp_path) == first
    (tmp_path / "a.toml").rename(tmp_path / "b.toml")
    second = hash_folder(tmp_path)
    (tmp_path / "b.toml").write_text("z")
    assert len({first, second, hash_folder(tmp_path)}) == 3


def test_an_amended_folder_lists_its_new_files_and_keeps_its_own_record(tmp_path: Path) -> None:
    build(tmp_path / "out")
    before = require_manifest(tmp_path / "out", "demo")
    with amended_folder(tmp_path / "out", before) as folder:
        (folder / "opinion.txt").write_text("fine")
    after = require_manifest(tmp_path / "out", "demo")
    assert set(after.files) == {"result.txt", "opinion.txt"}
    assert after.model_copy(update={"files": before.files}) == before
    assert is_current(tmp_path / "out", WANTED)
    assert (tmp_path / "out" / "result.txt").read_text() == "done"


def test_an_amendment_that_fails_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    build(tmp_path / "out")
    before = require_manifest(tmp_path / "out", "demo")
    with pytest.raises(ValueError, match="no"), amended_folder(tmp_path / "out", before) as folder:
        (folder / "result.txt").write_text("half")
        raise ValueError("no")
    assert (tmp_path / "out" / "result.txt").read_text() == "done"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
