"""The file of sign-offs: nothing is lost, and what was done to it shows."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhours.corpus.review.ledger import append_sign_off, read_ledger, sign_offs_path
from smallhours.domain.artifacts import hash_bytes
from smallhours.domain.errors import DataError, ResourceError
from smallhours.domain.sign_offs import START, SignOff
from tests.unit.corpus.review_kit import ANA, BO, pair, said

LINES = 5


def write(path: Path, lines: int = LINES) -> list[SignOff]:
    verdicts = ["approve", "reject", "edit", "approve", "edit"]
    return [append_sign_off(path, said(pair(n), ANA, verdicts[n % 5])) for n in range(lines)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "s.jsonl"
    write(path)
    return path


def head_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.head")


def copy(whole: Path, to: Path, data: bytes, *, head: bool) -> Path:
    to.write_bytes(data)
    head_of(to).unlink(missing_ok=True)
    if head:
        head_of(to).write_bytes(head_of(whole).read_bytes())
    return to


def test_what_was_signed_is_read_back_in_order(tmp_path: Path) -> None:
    written = write(tmp_path / "s.jsonl")
    ledger = read_ledger(tmp_path / "s.jsonl")
    assert list(ledger.sign_offs) == written and ledger.notes == ()
    assert ledger.content_hash == hash_bytes((tmp_path / "s.jsonl").read_bytes())


def test_each_line_names_the_hash_of_the_line_before(whole: Path) -> None:
    lines = whole.read_bytes().splitlines()
    named = [json.loads(line)["previous"] for line in lines]
    assert named == [START, *(hash_bytes(line) for line in lines[:-1])]


def test_where_there_is_no_file_nobody_has_signed(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "s.jsonl").sign_offs == ()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DataError, match="no such file of sign-offs"):
        read_ledger(tmp_path / "s.jsonl", must_exist=True)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_byte_can_be_changed_unseen(whole: Path, data: st.DataObject) -> None:
    before = whole.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != before[at]))
    changed = before[:at] + bytes([byte]) + before[at + 1 :]
    path = copy(whole, whole.with_name("changed.jsonl"), changed, head=True)
    try:
        assert read_ledger(path).sign_offs == read_ledger(whole).sign_offs  # the last line end alone
        assert at == len(before) - 1
    except DataError as error:
        assert "line" in str(error) and "copy" in str(error)


@pytest.mark.parametrize("head", [True, False])
@given(st.permutations(range(LINES)), st.integers(0, LINES))
def test_no_line_can_be_moved_or_removed_unseen(whole: Path, head: bool, order: list[int], kept: int) -> None:
    lines = whole.read_bytes().splitlines(keepends=True)
    chosen = [lines[i] for i in order[:kept]]
    path = copy(whole, whole.with_name("moved.jsonl"), b"".join(chosen), head=head)
    untouched = chosen == lines[:kept]  # a cut at the end: it takes the head to see it
    if untouched and (kept == LINES or not head):
        assert len(read_ledger(path).sign_offs) == kept
    else:
        with pytest.raises(DataError):
            read_ledger(path)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda lines: lines[1:], "line 1: is not the first"),
        (lambda lines: lines[:2] + lines[3:], "line 3: does not follow line 2"),
        (lambda lines: [*lines[:2], b"{}\n", *lines[3:]], "line 4: does not follow line 3"),
        (lambda lines: lines[:3], "ends at line 3 and had 5"),
        (lambda lines: [], "ends at line 0 and had 5"),
        (lambda lines: [*lines[:4], b"{}\n"], "line 5: is not as it was written"),
    ],
)
def test_the_line_is_named(whole: Path, tmp_path: Path, damage, told: str) -> None:
    data = b"".join(damage(whole.read_bytes().splitlines(keepends=True)))
    path = copy(whole, tmp_path / "s.jsonl", data, head=True)
    with pytest.raises(DataError, match=told):
        read_ledger(path)
    with pytest.raises(DataError, match=told):
        append_sign_off(path, said(pair(9), BO, "approve"))
    assert path.read_bytes() == data


@pytest.mark.parametrize("missing", [2, 3, 40, 200])
def test_a_torn_last_line_is_told_and_costs_no_earlier_one(whole: Path, tmp_path: Path, missing: int) -> None:
    path = copy(whole, tmp_path / "s.jsonl", whole.read_bytes()[:-missing], head=False)
    torn = read_ledger(path)
    assert torn.sign_offs == read_ledger(whole).sign_offs[:-1]
    assert "line 5: was cut off while it was written" in torn.notes[0]
    added = append_sign_off(path, said(pair(9), BO, "approve"))
    after = read_ledger(path)
    assert after.sign_offs == (*torn.sign_offs, added) and after.notes == torn.notes
    assert path.read_bytes().startswith(whole.read_bytes()[:-missing])


def test_a_whole_last_line_without_its_end_counts(whole: Path, tmp_path: Path) -> None:
    path = copy(whole, tmp_path / "s.jsonl", whole.read_bytes()[:-1], head=True)
    assert len(read_ledger(path).sign_offs) == LINES
    append_sign_off(path, said(pair(9), BO, "approve"))
    assert len(read_ledger(path).sign_offs) == LINES + 1


def test_a_stop_between_line_and_head_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    write(path, 2)
    then = head_of(path).read_bytes()
    append_sign_off(path, said(pair(9), BO, "approve"))
    head_of(path).write_bytes(then)
    append_sign_off(path, said(pair(8), BO, "approve"))
    assert len(read_ledger(path).sign_offs) == 4


def test_a_damaged_head_is_told(whole: Path, tmp_path: Path) -> None:
    path = copy(whole, tmp_path / "s.jsonl", whole.read_bytes(), head=False)
    head_of(path).write_bytes(b"five\n")
    ledger = read_ledger(path)
    assert len(ledger.sign_offs) == LINES and "could not be noticed" in ledger.notes[0]


WORKER = """
import sys, time
from pathlib import Path
from smallhours.corpus.review.ledger import append_sign_off
from smallhours.domain.sign_offs import Reviewer
from tests.unit.corpus.review_kit import pair, said
path, who = Path(sys.argv[1]), Reviewer(name=sys.argv[2], credential="x")
print("ready", flush=True)
start = float(sys.stdin.readline())
while time.time() < start:
    pass
for number in range(80):
    append_sign_off(path, said(pair(number), who, "approve"))
"""


def test_two_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    running = [subprocess.Popen([sys.executable, "-c", WORKER, path, name], **pipes) for name in ("A", "B")]
    assert [process.stdout.readline() for process in running] == [b"ready\n"] * 2
    start = f"{time.time() + 0.05}\n".encode()
    for process in running:
        process.stdin.write(start)
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=60)
    assert [process.returncode for process in running] == [0, 0]
    signed = [(one.reviewer.name, one.pair) for one in read_ledger(path).sign_offs]
    for name in ("A", "B"):
        assert [p for n, p in signed if n == name] == [f"p{number}" for number in range(80)]


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    path = tmp_path / "s.jsonl"
    write(path, 2)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="no space left"):
        append_sign_off(path, said(pair(9), BO, "approve"))
    assert path.read_bytes() == before


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist"):
        append_sign_off(tmp_path / "nowhere" / "s.jsonl", said(pair(), ANA, "approve"))


@pytest.mark.parametrize(
    ("data", "chosen", "path"),
    [
        (None, None, "signoffs.jsonl"),
        ("builtin:en", None, "signoffs.jsonl"),
        ("hf:a/b", None, "signoffs.jsonl"),
        ("my/pairs.csv", None, "my/pairs.csv.signoffs.jsonl"),
        ("my/pairs.csv", Path("x.jsonl"), "x.jsonl"),
    ],
)
def test_sign_offs_lie_beside_the_data(data: str | None, chosen: Path | None, path: str) -> None:
    assert sign_offs_path(data, chosen) == Path(path)
