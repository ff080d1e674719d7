"""One life of the process that holds the model: made, asked how it is, and ended."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import IO, Self, cast
from urllib.parse import urlsplit

from smallhours.llm.engines.llama_server import LlamaOptions

COMMAND = (sys.executable, "-m", "smallhours.serve.model_server.child")


class EndedError(Exception):
    """The process is no more, or said that it cannot begin (``refused``); the message says why."""

    def __init__(self, why: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(why)


class ModelProcess:
    """Leaving the block ends the process: kindly, and where that does not help, at once."""

    def __init__(self, options: LlamaOptions, farewell: float, command: Sequence[str] = COMMAND) -> None:
        self._options, self._farewell = options, farewell
        self._process = subprocess.Popen(  # noqa: S603 - our own child, by its full path
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        pipes = self._process.stdin, self._process.stdout
        self._in, self._out = cast("tuple[IO[bytes], IO[bytes]]", pipes)
        self._heard, self._at = b"", ""

    @property
    def pid(self) -> int:
        """As the system knows it."""
        return self._process.pid

    def __enter__(self) -> Self:
        order = {"parent": os.getpid(), "options": asdict(self._options)}
        with suppress(BrokenPipeError):  # it died at once; whoever listens hears so
            self._in.write((json.dumps(order) + "\n").encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in.close()
        try:
            self._process.wait(self._farewell)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()

    def ready(self, seconds: float) -> str | None:
        """The URL, once it listens; ``None`` after so many seconds without news.

        Raises:
            EndedError: it died or cannot load the model.
        """
        line = self._line(seconds)
        if line is None:
            return None
        word, _, rest = line.partition(" ")
        if word != "ready":
            raise EndedError(rest or "it said nothing that is understood", refused=True)
        self._at = rest
        return rest

    def pause(self, seconds: float) -> None:
        """Wait; a death ends the waiting, because the pipe closes.

        Raises:
            EndedError: it died.
        """
        self._line(seconds)
        self._heard = b""

    def answers(self, seconds: float, path: str = "/health") -> bool:
        """Whether it answers a ``GET`` in time. ``/health`` comes from a thread beside the model,
        ``/metrics`` from the loop that computes.
        """
        parts = urlsplit(self._at)
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
        try:
            line.request("GET", path, headers={"Authorization": f"Bearer {self._options.key}"})
            return line.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()

    def _line(self, seconds: float) -> str | None:
        if not select.select([self._out], [], [], seconds)[0]:
            return None
        piece = os.read(self._out.fileno(), 1 << 12)
        if not piece:
            raise EndedError(self._epitaph())
        self._heard = (self._heard + piece)[-(1 << 12) :]
        line, separator, _ = self._heard.partition(b"\n")
        return line.decode("utf-8", "replace") if separator else None

    def _epitaph(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        code = self._process.returncode
        if code is None or code >= 0:
            return f"the model's process ended (exit code {code})"
        name = signal.Signals(-code).name
        memory = "; out of memory?" if -code == signal.SIGKILL else ""
        return f"the model's process was ended by {name}{memory}"
