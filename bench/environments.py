"""Environments of their own for the trainers that we compare with, made on first use.

Each is a virtual environment in ``bench/.venvs/``, filled from ``bench/peers/<name>.txt`` alone, a list that
names every package and its version, so that a peer brings what it asks for and ours stays as it is.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
INSTALL_SECONDS = 1800


class PeerUnavailableError(Exception):
    """A peer cannot be installed or run here; the message says why, in one line."""


def peer_python(name: str, lists: Path = HERE / "peers", environments: Path = HERE / ".venvs") -> Path:
    """The interpreter of a peer's environment, which is made if it is missing or its list has changed.

    Raises:
        PeerUnavailableError: it cannot be installed; the last line of what pip said.
    """
    wanted = lists / f"{name}.txt"
    folder = environments / name
    python, stamp = folder / "bin" / "python", folder / "installed"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "-qq",
            "--no-deps",
            "-r",
            str(wanted),
        ],
    ):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise PeerUnavailableError(f"not installed after {INSTALL_SECONDS} s") from None
        if done.returncode:
            raise PeerUnavailableError(f"cannot be installed: {last_line(done.stderr or done.stdout)}")
    stamp.write_text(digest, encoding="utf-8")
    return python


def last_line(text: str) -> str:
    """The last line that says something: where pip and a traceback name the cause."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no message"
