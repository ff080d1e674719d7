"""The process that holds the model: ``python -m smallhours.serve.model_server.child``.

It reads its options from the first line of standard input, says ``ready <url>`` or ``failed <why>``, and
lives until that input ends, which it does when the parent stops it or dies.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_NICER = 5  # the gateway, and with it the crisis path, comes first
_FIRST_TO_GO = "800"  # of 1000: where memory runs out, the kernel ends the model and not the gateway


def main() -> None:
    """Serve until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    order: dict[str, Any] = json.loads(sys.stdin.readline())
    _die_with(order["parent"])
    _make_way()
    from smallhours.domain.errors import EngineError
    from smallhours.llm.engines.llama_server import LlamaOptions, open_server

    try:
        server = open_server(LlamaOptions(**order["options"]))
    except EngineError as error:
        _say(f"failed {' '.join(str(error).split())}")
        os._exit(1)
    _say(f"ready {server.listening_address}")
    sys.stdin.read()
    os._exit(0)  # llama.cpp frees nothing that the kernel does not


def _die_with(parent: int) -> None:
    """No orphans: not even a stopped process outlives its parent where the kernel can see to it."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _make_way() -> None:
    with suppress(OSError):
        os.nice(_NICER)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
