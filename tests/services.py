"""Real servers on free ports of this machine, for as long as a test session lasts."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts.ensure_services import find


def _program(name: str) -> Path:
    found = find(name)
    if found is None:
        pytest.fail(f"no {name}: 'make test' installs it (scripts/ensure_services.py)")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[Any] | None = None, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nothing listens on {port} after {seconds} seconds")


class Postgres:
    """A cluster of its own, which can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = _program("postgres").resolve().parent
        # PostgreSQL refuses to run as root.
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            who = next((n for n in ("postgres", "nobody") if _exists(n)), "nobody")
            shutil.chown(folder, who)
            self._as = {"user": who, "group": pwd.getpwnam(who).pw_gid, "cwd": folder}
        self.port = free_port()
        initdb = [self._programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "smallhours", "-N"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **self._as)

    def url(self, database: str) -> str:
        return f"postgresql://smallhours@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        options = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in settings.items())
        self._control("start", "-w", "-l", str(self._folder / "log"), "-o", f"-p {self.port} {options}")

    def stop(self, how: str = "fast") -> None:
        self._control("stop", "-w", "-m", how)

    def _control(self, *command: str) -> None:
        program = [self._programs / "pg_ctl", "-D", self._folder / "data", *command]
        subprocess.run(program, check=True, stdout=subprocess.DEVNULL, **self._as)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@contextmanager
def postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="smallhours-pg-") as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


@contextmanager
def redis() -> Iterator[str]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="smallhours-redis-") as folder:
        command = [_program("redis-server"), "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            wait_for(port, process)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(timeout=10)
