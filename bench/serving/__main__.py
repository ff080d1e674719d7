"""Measure serving: ``python -m bench.serving [--short] [--only PART ...] [--run FOLDER]``.

All parts take half an hour, most of it the soak. ``--short`` takes a minute or so a part. Only a whole run is
written to ``results/serving.json``; others are printed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from bench.common import RESULTS, Figure, write_results
from bench.serving import crisis, overhead, run, soak, tokens
from bench.serving.plan import Plan

PARTS: dict[str, Callable[[Plan], dict[str, Figure]]] = {
    "start": run.start,
    "memory": run.memory,
    "gateway": overhead.measure,
    "crisis": crisis.measure,
    "tokens": tokens.measure,
    "streams": soak.measure,
}


def shown(name: str, found: Figure) -> str:
    """A figure in a line."""
    if found["value"] is None:
        return f"{name}: not measured: {found['reason']}"
    spread = f" ({found['low']} to {found['high']}; n = {found['runs']})" if "low" in found else ""
    return f"{name}: {found['value']} {found['unit']}{spread}"


def main() -> None:
    """Measure, print, and write what a whole run found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; may be given again")
    parser.add_argument("--short", action="store_true", help="to see that it works; nothing is written")
    parser.add_argument("--run", type=Path, default=Path("runs/default"), help="a finished run to start")
    options = parser.parse_args()
    plan = Plan.short(options.run) if options.short else Plan(options.run)
    figures: dict[str, Figure] = {}
    for part in options.only or PARTS:
        began = time.monotonic()
        found = PARTS[part](plan)
        figures |= found
        print(f"{part}: {time.monotonic() - began:.0f} s", flush=True)
        for name, one in found.items():
            print(f"  {shown(name, one)}", flush=True)
    if not options.short and not options.only:
        write_results(RESULTS / "serving.json", figures)


if __name__ == "__main__":
    main()
