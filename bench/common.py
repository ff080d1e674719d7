"""What the benches share: figures and the file they are written to."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smallhours.domain.artifacts import describe_machine, package_versions, write_aside
from smallhours.domain.shares import wilson_interval

RESULTS = Path(__file__).parent / "results"

Figure = dict[str, Any]


def figure(values: Sequence[float], unit: str, against: str, digits: int = 1) -> Figure:
    """The median of the runs, rounded; where there are several, the least and the most of them, too."""
    found: Figure = {
        "value": _rounded(statistics.median(values), digits),
        "unit": unit,
        "against": against,
        "runs": len(values),
    }
    if len(values) > 1:
        found |= {"low": _rounded(min(values), digits), "high": _rounded(max(values), digits)}
    return found


def share_of(hits: int, n: int, against: str) -> Figure:
    """A share of ``n`` cases with its 95 % score interval; ``runs`` counts cases."""
    low, high = wilson_interval(hits, n)
    return {
        "value": round(hits / n, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "unit": "share",
        "against": against,
        "runs": n,
    }


def shown_share(found: Figure) -> str:
    """A share in percent with its interval and n, or why there is none."""
    if found["value"] is None:
        return f"not measured: {found['reason']}"
    value, low, high = (f"{100 * found[key]:.0f}" for key in ("value", "low", "high"))
    return f"{value} % ({low} to {high}; n = {found['runs']})"


def resident(pid: int | str = "self") -> float:
    """Megabytes of memory that a process holds now, without its children."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _rounded(value: float, digits: int) -> float:
    return round(value, digits) if digits else round(value)


def missing(unit: str, against: str, reason: str) -> Figure:
    """A figure that could not be measured: no value, and why. Never zero."""
    return {"value": None, "unit": unit, "against": against, "runs": 0, "reason": reason}


def write_results(
    path: Path, figures: Mapping[str, Figure], versions: Mapping[str, str] | None = None
) -> None:
    """Write the results file: date, machine, versions (ours, and those given of peers) and figures.

    Raises:
        ResourceError: the disk is full or may not be written.
    """
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe_machine(),
        "versions": package_versions() | dict(versions or {}),
        "figures": dict(figures),
    }
    write_aside(path, (json.dumps(result, indent=1) + "\n").encode())
