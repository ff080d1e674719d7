"""Known vulnerabilities of every locked package, by pip-audit. ``make check`` runs it.

    python scripts/audit.py             say what is known; exit 0
    python scripts/audit.py --strict    exit 1 where a package has a known vulnerability

Its source is the list of advisories at pypi.org. Where that cannot be reached (no network, a mirror that has
packages and no advisories), one line says so. A finding does not fail the checks: it comes with the day and
not with a change, and what passed yesterday must pass today. Whoever releases runs it with ``--strict``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
# A release with known vulnerabilities: a source that has none for it has none at all.
PROBE = "https://pypi.org/pypi/pip/23.0/json"
PATIENCE = 1.5  # seconds for the probe, name service included
LONGEST = 120.0  # seconds for the audit
REPORT = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json")


def has_advisories(address: str, seconds: float) -> bool:
    """Whether a source lists vulnerabilities, and says so in time."""
    told: list[bool] = []

    def ask() -> None:
        try:
            with urlopen(address, timeout=seconds) as answer:  # noqa: S310 - our own address
                told.append(bool(json.load(answer).get("vulnerabilities")))
        except (OSError, ValueError, AttributeError):
            told.append(False)

    # A thread, because a name service that is silent does not know our timeout.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    return any(told)


def audited() -> dict[str, Any] | None:
    """pip-audit's report on both lock files; None if there is none, or it takes too long."""
    command = [sys.executable, "-m", "pip_audit", *REPORT]
    for lock in LOCKS:
        command += ["-r", str(ROOT / lock)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST)
        report: dict[str, Any] = json.loads(done.stdout)
        return report
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None


def findings(report: dict[str, Any]) -> tuple[int, list[str]]:
    """How many packages the source knew, and a line for each vulnerability."""
    known = [one for one in report["dependencies"] if "skip_reason" not in one]
    lines = [
        f"{one['name']} {one['version']}: {found['id']}, "
        + (
            f"fixed in {', '.join(found['fix_versions'])}"
            if found["fix_versions"]
            else "no release fixes it yet"
        )
        for one in known
        for found in one["vulns"]
    ]
    return len(known), sorted(set(lines))


def main(arguments: list[str]) -> int:
    """Say what is known; 1 with ``--strict`` and a finding, or where nothing could be asked."""
    strict = arguments == ["--strict"]
    report = audited() if has_advisories(PROBE, 30.0 if strict else PATIENCE) else None
    known, lines = findings(report) if report else (0, [])
    if not known:
        print("audit: skipped, the list of known vulnerabilities (pypi.org) cannot be reached from here")
        return 1 if strict else 0
    for line in lines:
        print(f"audit: {line}")
    print(f"audit: {known} packages, {len(lines)} known vulnerabilities")
    return 1 if strict and lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
