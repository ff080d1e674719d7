"""The file of sign-offs: one JSON line each, only ever added to, each line naming the hash of the one before.

A changed, removed or swapped line breaks the chain, and the reader names it. What no chain can show is a
cut at the end; that shows in the file beside it, ``<name>.head``, which holds the number of lines and the
hash of the last one, and is the lock under which lines are added. Whoever can rewrite both files whole can
forge them: keep copies, or the hash that a dataset's manifest records.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from smallhours.domain.artifacts import explained_disk_errors, hash_bytes
from smallhours.domain.errors import DataError
from smallhours.domain.sign_offs import START, SignOff

_HEAD = re.compile(rb" *(\d+) ([0-9a-f]{64})\n")
_COPY = "Restore the file from a copy; nothing may be changed in it by hand."


@dataclass(frozen=True)
class Ledger:
    """A file of sign-offs as it was read. ``notes`` say what a reader should know about it.

    ``last`` is the hash of the last of its ``lines``; ``unfinished`` says that this one lacks its line end.
    """

    sign_offs: tuple[SignOff, ...] = ()
    notes: tuple[str, ...] = ()
    lines: int = 0
    last: str = START
    unfinished: bool = False
    content_hash: str | None = None


def sign_offs_path(data: str | None, chosen: Path | None) -> Path:
    """The file of sign-offs on ``data``: the one chosen, or else the one beside it."""
    if chosen is not None:
        return chosen
    if data is None or data.startswith(("builtin", "hf:")):
        return Path("signoffs.jsonl")
    path = Path(data)
    return path.with_name(f"{path.name}.signoffs.jsonl")


def read_ledger(path: Path, *, must_exist: bool = False) -> Ledger:
    """Every sign-off of the file, oldest first; none where there is no file.

    A line that was cut off while it was written is noted and counts for nothing.

    Raises:
        DataError: the file cannot be read, or its chain is broken; the message names the line.
    """
    try:
        with _locked(path, writing=False) as head:
            if must_exist and not path.exists():
                raise DataError(f"{path}: no such file of sign-offs; 'smallhours corpus review' makes it")
            return _read(path, head)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def append_sign_off(path: Path, sign_off: SignOff) -> SignOff:
    """Add a line and have it on the disk before this returns; gives the sign-off as written.

    Two processes that add at the same time wait for each other.

    Raises:
        DataError: the chain is broken or the folder missing; nothing was added.
        ResourceError: the disk is full or read-only; nothing was added.
    """
    with explained_disk_errors(path), _locked(path, writing=True) as head:
        before = _read(path, head)
        record = sign_off.model_copy(update={"previous": before.last})
        line = record.model_dump_json(exclude_none=True).encode()
        _add(path, b"\n" * before.unfinished + line + b"\n")
        if head is not None:
            head.seek(0)
            head.write(b"%12d %s\n" % (before.lines + 1, hash_bytes(line).encode()))
            head.flush()
            os.fsync(head.fileno())
    return record


@contextmanager
def _locked(path: Path, *, writing: bool) -> Iterator[BinaryIO | None]:
    """Hold the lock and give the open head file; a reader goes without where there is none."""
    import fcntl

    head = path.with_name(f"{path.name}.head")
    try:
        stream = (
            os.fdopen(os.open(head, os.O_RDWR | os.O_CREAT, 0o666), "r+b") if writing else head.open("rb")
        )
    except FileNotFoundError:
        if writing:
            raise DataError(f"{path}: the folder {path.parent} does not exist") from None
        yield None
        return
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX if writing else fcntl.LOCK_SH)
        yield stream


def _add(path: Path, data: bytes) -> None:
    new = not path.exists()
    with path.open("ab", buffering=0) as stream:
        size = stream.tell()
        try:
            while data:
                data = data[stream.write(data) :]
            os.fsync(stream.fileno())
        except BaseException:
            stream.truncate(size)
            raise
    if new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: Path, head: BinaryIO | None) -> Ledger:
    data = path.read_bytes() if path.exists() else b""
    lines = data.split(b"\n")
    unfinished = lines.pop()
    lines += [unfinished] * bool(unfinished)
    count, hash_then, notes = _read_head(path, head)
    sign_offs = []
    previous = START
    for number, line in enumerate(lines, start=1):
        record = _record(line)
        if record is not None and record.previous != previous:
            raise DataError(f"{path} line {number}: {_broken(number)} {_COPY}")
        previous = hash_bytes(line)
        if number == count and previous != hash_then:
            raise DataError(f"{path} line {number}: is not as it was written. {_COPY}")
        if record is not None:
            sign_offs.append(record)
        elif number == len(lines) and not unfinished and count == 0:
            raise DataError(f"{path} line {number}: cannot be read. {_COPY}")
        else:
            notes.append(
                f"{path} line {number}: was cut off while it was written; it counts for nothing, and all "
                "others stand. Review that pair again"
            )
    if len(lines) < count:
        raise DataError(f"{path}: ends at line {len(lines)} and had {count}: lines have been cut. {_COPY}")
    content = hash_bytes(data) if data else None
    return Ledger(tuple(sign_offs), tuple(notes), len(lines), previous, bool(unfinished), content)


def _read_head(path: Path, head: BinaryIO | None) -> tuple[int, str, list[str]]:
    text = head.read() if head is not None else b""
    match = _HEAD.fullmatch(text)
    if match:
        return int(match[1]), match[2].decode(), []
    note = f"{path}.head: cannot be read, so a cut at the end of {path.name} could not be noticed"
    return 0, START, [note] * bool(text)


def _record(line: bytes) -> SignOff | None:
    try:
        return SignOff.model_validate_json(line)
    except ValidationError:
        return None


def _broken(number: int) -> str:
    if number == 1:
        return "is not the first that was written; lines before it have been removed."
    return f"does not follow line {number - 1}; that line was changed, or lines were removed, added or moved."
