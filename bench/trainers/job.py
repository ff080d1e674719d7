"""What a trainer is asked and what it answers, as files; standard library only, for any environment.

A trainer is a script run as ``python trainer.py JOB.json``. The job says: ``base`` (a folder that
transformers reads), ``train`` (JSON Lines of ``id``, ``input_ids``, ``labels`` with -100 where nothing is
learnt, and ``messages``), ``dataset`` (the same in our own form), ``folder`` to work in, the recipe
(``steps``, ``batch_size``, ``learning_rate``, ``weight_decay``, ``rank``, ``alpha``, ``targets``, ``seed``),
``dtype`` (the faster one on this machine) and ``options`` of the arm. It leaves a PEFT adapter and
``measured.json``.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

RATE_SHAPE = (1024, 576, 1536)  # tokens of a batch, width and inner width of SmolLM2-135M
RATE_SECONDS = 1.5


def read_job() -> dict[str, Any]:
    """The job named on the command line."""
    job: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    return job


def read_rows(job: dict[str, Any]) -> list[dict[str, Any]]:
    """The training examples."""
    lines = Path(job["train"]).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def write_measured(job: dict[str, Any], adapter: Path, seconds: float, packages: list[str]) -> None:
    """Say how long the loop took, where the adapter is, and what it cost.

    Peak memory is read first; then the matrix rate is measured, in the same process and on the same threads.
    """
    peak = peak_megabytes()
    measured = {
        "adapter": str(adapter),
        "seconds": seconds,
        "peak_megabytes": peak,
        "matrix_rate": matrix_rate(job["dtype"]),
        "versions": {name: metadata.version(name) for name in packages},
    }
    (Path(job["folder"]) / "measured.json").write_text(json.dumps(measured), encoding="utf-8")


def peak_megabytes() -> float:
    """This process's largest resident memory (MiB), counted from its own start.

    Linux says it as ``VmHWM``; ``getrusage`` would count what the process looked like before ``exec``, too.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status names no VmHWM; peak memory needs Linux")


def matrix_rate(dtype: str) -> float:
    """Operations per second of one product of ``RATE_SHAPE``: 2 m k n over the best time seen."""
    import torch

    m, k, n = RATE_SHAPE
    a, b = (torch.randn(m, k), torch.randn(k, n))
    a, b = a.to(getattr(torch, dtype)), b.to(getattr(torch, dtype))
    best = float("inf")
    until = time.perf_counter() + RATE_SECONDS
    with torch.no_grad():
        torch.mm(a, b)
        while time.perf_counter() < until:
            started = time.perf_counter()
            torch.mm(a, b)
            best = min(best, time.perf_counter() - started)
    return 2 * m * k * n / best
