"""A newcomer's folder: complete, readable by what reads it, and never half there."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from smallhours.cli.main import run
from smallhours.corpus import project
from smallhours.corpus.project import COLUMNS, EXAMPLES, create_project, run_name
from smallhours.corpus.sources import builtin_pairs, read_pairs
from smallhours.corpus.validate import check_pairs
from smallhours.domain.artifacts import read_manifest
from smallhours.domain.records import ReviewState
from smallhours.domain.settings import load_settings

FILES = {"pairs.csv", "smallhours.toml", "README.md", ".gitignore"}


@pytest.fixture
def made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "deep" / "my project"
    assert run(["init", str(folder)]) == 0
    assert f"smallhours run --config '{folder / 'smallhours.toml'}'" in capsys.readouterr().out
    return folder


def test_everything_is_there(made: Path) -> None:
    assert {path.name for path in made.iterdir()} == FILES


def test_the_pairs_are_ten_of_ours_word_for_word(made: Path) -> None:
    ours = {pair.id: pair for pair in builtin_pairs("98")}
    read = read_pairs(made / "pairs.csv")
    assert len(read) == 10 and len({pair.topic for pair in read}) >= 5
    for pair, id_ in zip(read, EXAMPLES, strict=True):
        assert pair.model_copy(update={"id": id_}) == ours[id_]
        assert pair.review is ReviewState.UNREVIEWED
    assert check_pairs(read, "pairs.csv") == []


def test_files_open_where_newcomers_open_them(made: Path) -> None:
    table = (made / "pairs.csv").read_bytes()
    assert table.startswith(b"\xef\xbb\xbf"), "Excel takes UTF-8 without a mark for cp1252"
    assert table.count(b"\r\n") == table.count(b"\n") == 11
    with (made / "pairs.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert next(csv.reader(stream)) == list(COLUMNS)
    assert not any(b"\r" in (made / name).read_bytes() for name in FILES - {"pairs.csv"})


@pytest.mark.parametrize("given", ["config", "data"])
def test_the_folder_can_be_built_from_anywhere_at_once(
    made: Path,
    given: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    file = {"config": "smallhours.toml", "data": "pairs.csv"}[given]
    assert run(["corpus", "build", f"--{given}", str(made / file)]) == 0
    told = capsys.readouterr().err
    assert "Pairs in the test split: 2." in told and "means little" in told
    folder = made / "runs" / "my-project" if given == "config" else tmp_path / "runs" / "default"
    manifest = read_manifest(folder / "dataset")
    assert manifest is not None and manifest.figures["pairs"] == 10
    assert [part["pairs"] for part in manifest.figures["splits"].values()] == [7, 1, 2]
    assert "Pairs in the test split: 2." in (folder / "dataset" / "README.md").read_text(encoding="utf-8")


def test_the_readme_says_what_next_what_never_and_who_helps(made: Path) -> None:
    text = (made / "README.md").read_text(encoding="utf-8")
    for part in ("988", "116 123", "findahelpline.com", "smallhours corpus check pairs.csv", "a diagnosis",
                 "a dose", "a promise", "a secret", "runs/my-project/dataset/README.md"):  # fmt: skip
        assert part in text
    assert "{name}" not in text


def test_what_can_be_made_again_is_ignored_and_sign_offs_are_not(made: Path) -> None:
    lines = (made / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "runs/" in lines and "!*.signoffs.jsonl" in lines


@pytest.mark.parametrize("in_the_way", ["file", "folder"])
def test_what_is_there_is_left_alone(
    tmp_path: Path, in_the_way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "mine"
    kept = target if in_the_way == "file" else target / "notes.txt"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("dear diary")
    assert run(["init", str(target)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and str(target) in told and "name a new folder" in told
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [kept]


@pytest.mark.parametrize("there", [True, False])
def test_a_failure_leaves_nothing_behind(
    tmp_path: Path, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a" / "b"
    if there:
        folder.mkdir(parents=True)
    write = project.write_aside

    def full_disk(path: Path, data: bytes) -> None:
        if path.name == "README.md":
            raise KeyboardInterrupt
        write(path, data)

    monkeypatch.setattr(project, "write_aside", full_disk)
    with pytest.raises(KeyboardInterrupt):
        create_project(folder)
    assert list(tmp_path.rglob("*")) == ([tmp_path / "a", folder] if there else [])


@pytest.mark.parametrize(
    ("folder", "name"),
    [("support", "support"), ("My Team's pairs", "My-Team-s-pairs"), (".hidden", "hidden"), ("ночь", "mine")],
)
def test_the_run_is_named_after_the_folder(tmp_path: Path, folder: str, name: str) -> None:
    assert run_name(tmp_path / folder) == name
    create_project(tmp_path / folder)
    assert load_settings(tmp_path / folder / "smallhours.toml").name == name
