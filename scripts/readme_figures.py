"""Write the README's measured tables: of runs/default, and of bench/training.py. Used by ``make docs``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "runs" / "default"
BENCH = ROOT / "bench" / "results" / "training.json"
BENCH_ROWS = {
    "speed against trl-best": ("speed against TRL's SFTTrainer at its best here", "{:.1f}x"),
    "speed against trl-default": ("speed against TRL's defaults", "{:.1f}x"),
    "speed against llamafactory": ("speed against LLaMA-Factory", "{:.1f}x"),
    "peak memory against trl-best": ("peak memory against TRL at its best", "{:.2f}x"),
    "held-out loss against trl-best": ("held-out loss against TRL's, equal steps", "{:.3f}x"),
    "ours: tokens per second": ("our tokens per second, no padding counted", "{:.0f}"),
    "ours: share of the matrix rate": ("our share of the measured matrix rate", "{:.0f} %"),
}


def interval(figure: dict[str, Any], percent: bool = False) -> str:
    """Value, 95 % interval and n, as a reader wants them."""
    scale, digits, unit = (100, 0, " %") if percent else (1, 2, "")
    value, low, high = (round(figure[k] * scale, digits) for k in ("value", "low", "high"))
    shown = [f"{x:.0f}" if percent else f"{x:.2f}" for x in (value, low, high)]
    return f"{shown[0]}{unit} ({shown[1]} to {shown[2]}; n = {figure['n']})"


def bench_table(results: Path = BENCH) -> str:
    """Our trainer against its peers; a peer that could not be measured is named with its reason."""
    found = json.loads(results.read_text(encoding="utf-8"))
    figures, machine = found["figures"], found["machine"]
    rows = []
    for name, (label, form) in BENCH_ROWS.items():
        each = figures.get(name)
        if each and each["value"] is None:
            rows.append(f"| {label} | not measured: {each['reason']} |")
        elif each:
            spread = [form.format(each[end]) for end in ("low", "high") if end in each]
            shown = f"{' to '.join(spread)}; " if spread else ""
            rows.append(f"| {label} | {form.format(each['value'])} ({shown}n = {each['runs']}) |")
    return "\n".join(
        [
            f"Measured by `make bench ONLY=training` on {found['date']} ({machine['cores']} cores, "
            f"{machine['machine']}), {figures['ours: training loop']['against']}:",
            "",
            "| figure | median (least to most) |",
            "| --- | --- |",
            *rows,
        ]
    )


def table() -> str:
    """The main job's figures."""
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
            "crisis messages noticed (our own suite, never trained on)",
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


def replaced(text: str, mark: str, block: str) -> str:
    """The text with ``block`` between ``<!-- mark -->`` and ``<!-- /mark -->``."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n{block}\n{end}{rest.split(end)[1]}"


def main() -> None:
    """Replace the blocks in README.md for which there are figures."""
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    if RUN.is_dir():
        text = replaced(text, "measured", table())
    if BENCH.is_file():
        text = replaced(text, "benched", bench_table())
    path.write_text(text, encoding="utf-8")
    print("README.md: measured tables written")


if __name__ == "__main__":
    main()
