"""Find the Chromium that the browser tests drive; on Debian and its kin, install it if it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def installed() -> str | None:
    """The path of a browser, ``$CHROMIUM`` first."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return chosen
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> int:
    """0 if there is a browser in the end."""
    if installed():
        return 0
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print("The browser tests need Chromium. Install it, or set CHROMIUM to its path.", file=sys.stderr)
        return 2
    print("installing Chromium for the browser tests ...", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ):
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            print(f"failed: {' '.join(command)}", file=sys.stderr)
            return 2
    return 0 if installed() else 2


if __name__ == "__main__":
    sys.exit(main())
