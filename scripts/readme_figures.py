"""Write the README's measured table from the logs of runs/default. Used by ``make docs``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "runs" / "default"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def interval(figure: dict[str, Any], percent: bool = False) -> str:
    """Value, 95 % interval and n, as a reader wants them."""
    scale, digits, unit = (100, 0, " %") if percent else (1, 2, "")
    value, low, high = (round(figure[k] * scale, digits) for k in ("value", "low", "high"))
    shown = [f"{x:.0f}" if percent else f"{x:.2f}" for x in (value, low, high)]
    return f"{shown[0]}{unit} ({shown[1]} to {shown[2]}; n = {figure['n']})"


def table() -> str:
    """The block between the markers."""
    report = json.loads((RUN / "evaluation" / "report.json").read_text(encoding="utf-8"))
    evaluated = json.loads((RUN / "evaluation" / "manifest.json").read_text(encoding="utf-8"))
    trained = json.loads((RUN / "adapter" / "manifest.json").read_text(encoding="utf-8"))["figures"]
    learning, safety, tuned = report["learning"], report["safety"], report["baselines"]["tuned"]
    machine = evaluated["machine"]
    rows = [
        ("held-out loss, untouched base (nats per token)", interval(learning["base"]["loss"])),
        ("held-out loss, tuned", interval(learning["tuned"]["loss"])),
        ("reduction, paired", interval(learning["reduction"], percent=True)),
        ("tuned answers that end by themselves", interval(tuned["ended"], percent=True)),
        ("tuned answers that the output guard stops", interval(tuned["unsafe"], percent=True)),
        (
            "crisis messages noticed (a suite nobody tuned to)",
            interval(safety["crisis"]["recall"], percent=True),
        ),
        ("ordinary messages taken for a crisis", interval(safety["ordinary"]["false_alarms"], percent=True)),
        (
            "training",
            f"{trained['seconds']:.0f} s for {trained['tokens']:,} tokens in {trained['dtype']}; "
            f"{trained['trainable_parameters']:,} of {trained['total_parameters']:,} parameters",
        ),
    ]
    lines = [
        f"Measured by `make run` on {evaluated['created'][:10]} "
        f"({machine['cores']} cores, {machine['machine']}); 95 % intervals in brackets:",
        "",
        "| figure | measured |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in rows),
    ]
    return "\n".join(lines)


def main() -> None:
    """Replace the block in README.md."""
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")
    print("README.md: measured table written")


if __name__ == "__main__":
    main()
