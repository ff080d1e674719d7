"""Python, and the packages beside what they should be."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import smallhours
from smallhours.bootstrap.doctor.check import Check, error, ok, warning
from smallhours.domain.settings import Settings

OLDEST = (3, 11)
SERVING = "serve"  # the extra without which there is no service
LOCK = Path(smallhours.__file__).resolve().parents[2] / "requirements.lock"
DEVELOPERS = ("dev", "docs")  # extras that no installation needs


def python(settings: Settings) -> Iterator[Check]:
    """The interpreter."""
    found = platform.python_version()
    if sys.version_info < OLDEST:
        yield error("python", found, "install Python 3.11 or later and set up a new environment")
    else:
        yield ok("python", f"{found} ({platform.python_implementation()}, {platform.system()})")


def versions(settings: Settings) -> Iterator[Check]:
    """Every version beside the lock file; beside the package's own requirements where there is no lock."""
    wanted = read_lock(LOCK) if LOCK.is_file() else required(SERVING)
    where = LOCK.name if LOCK.is_file() else "the package's own requirements"
    faults = {one.name: told for one in wanted if (told := fault(one))}
    vital = {canonicalize_name(one.name) for one in required(SERVING) if fault(one)}
    if not faults and not vital:
        yield ok("packages", f"{len(wanted)} as in {where}")
        return
    said = f"{len(faults)} of {len(wanted)} not as in {where}"
    remedy = f"pip install --no-deps -r {LOCK.name}" if LOCK.is_file() else "pip install 'smallhours[serve]'"
    details = [f"{name}: {told}" for name, told in faults.items()]
    if vital:
        yield error("packages", f"{said}; the service needs {', '.join(sorted(vital))}", remedy, details)
    else:
        yield warning("packages", said, remedy, details)


def extras(settings: Settings) -> Iterator[Check]:
    """Which optional parts are here. A setting that needs one that is not has a line of its own."""
    there: list[str] = []
    absent: list[str] = []
    for extra in metadata.metadata("smallhours").get_all("Provides-Extra") or []:
        if extra not in DEVELOPERS:
            complete = not any(map(fault, required(extra)))
            (there if complete else absent).append(extra)
    said = f"here: {', '.join(there) or 'none'}; not here: {', '.join(absent) or 'none'}"
    yield ok("extras", f"{said} (pip install 'smallhours[NAME]' adds one)" if absent else said)


def read_lock(path: Path) -> list[Requirement]:
    """What a lock file names, one package a line."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def required(*extras: str) -> Sequence[Requirement]:
    """What the package itself asks for, with some of its extras."""
    found = map(Requirement, metadata.requires("smallhours") or ())
    return [
        one for one in found if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in extras)
    ]


def fault(wanted: Requirement) -> str:
    """What is wrong with an installed package; empty if nothing is."""
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return "not installed"
    return "" if wanted.specifier.contains(found, prereleases=True) else f"{found}, not {wanted.specifier}"
