"""Find PostgreSQL and Redis, which the tests start; on Debian and its kin, install what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = {"postgres": "postgresql", "redis-server": "redis-server"}


def find(program: str) -> Path | None:
    """Where a program is; Debian keeps PostgreSQL's off the path."""
    found = shutil.which(program)
    if found:
        return Path(found)
    return max(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), default=None)


def main() -> int:
    """0 if both are there in the end."""
    missing = [package for program, package in PACKAGES.items() if find(program) is None]
    if not missing:
        return 0
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(f"The tests need {' and '.join(missing)}. Install them.", file=sys.stderr)
        return 2
    print(f"installing {' and '.join(missing)} for the tests ...", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
    ):
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            print(f"failed: {' '.join(command)}", file=sys.stderr)
            return 2
    return 0 if all(find(program) for program in PACKAGES) else 2


if __name__ == "__main__":
    sys.exit(main())
