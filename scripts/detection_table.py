"""Write the measured tables of docs/detection.md from bench/results/detection.json. Used by ``make docs``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scripts.readme_figures import ROOT, replaced

RESULTS = ROOT / "bench" / "results" / "detection.json"
PAGE = ROOT / "docs" / "detection.md"
LANGUAGES = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French",
    "hi": "Hindi", "hi-Latn": "Hindi in Latin letters", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "pt": "Portuguese", "ru": "Russian", "tr": "Turkish", "zh": "Chinese",
}  # fmt: skip
OURS = "ours"


def share(figure: Mapping[str, Any] | None) -> str:
    """A share with its 95 % interval and n."""
    if figure is None:
        return ""
    if figure["value"] is None:
        return f"not measured: {figure['reason']}"
    value, low, high = (f"{100 * figure[key]:.0f}" for key in ("value", "low", "high"))
    return f"{value} % ({low} to {high}; n = {figure['runs']})"


def table(found: Mapping[str, Any]) -> str:
    """Every detector over all messages, then ours by category, level, language and length."""
    figures = found["figures"]
    names = list(dict.fromkeys(name.split(": ")[0] for name in figures))
    rows = [_row(name, figures, name, "") for name in names]
    parts = [
        f"Measured by `make bench ONLY=detection` on {found['date']}; 95 % intervals in brackets:",
        _headed("detector", rows),
    ]
    for label in ("category", "kind", "level", "language", "length"):
        begin = f", {label} "
        values = list(dict.fromkeys(n.split(begin)[1] for n in figures if n.startswith(OURS) and begin in n))
        rows = [_row(LANGUAGES.get(v, v.replace("_", " ")), figures, OURS, begin + v) for v in values]
        parts.append(_headed(f"ours, by {label}", rows))
    return "\n\n".join(parts)


def _row(shown: str, figures: Mapping[str, Any], name: str, group: str) -> str:
    found, alarms = (figures.get(f"{name}: {what}{group}") for what in ("found", "false alarms"))
    if found and found["value"] is None:
        return f"| {shown} | {share(found)} | |"
    return f"| {shown} | {share(found)} | {share(alarms)} |"


def _headed(name: str, rows: list[str]) -> str:
    return "\n".join([f"| {name} | crises found | false alarms |", "| --- | --- | --- |", *rows])


def main() -> None:
    """Replace the block in the page, if there are figures."""
    if RESULTS.is_file():
        text = PAGE.read_text(encoding="utf-8")
        block = table(json.loads(RESULTS.read_text(encoding="utf-8")))
        PAGE.write_text(replaced(text, "detection", block), encoding="utf-8")
        print("docs/detection.md: measured tables written")


if __name__ == "__main__":
    main()
