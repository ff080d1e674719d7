"""Write the measured tables of docs/detection.md from ``bench/results/``. Used by ``make docs``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bench.common import shown_share
from scripts.readme_figures import ROOT, replaced

RESULTS = ROOT / "bench" / "results" / "detection.json"
REPLIES = RESULTS.with_name("replies.json")
PAGE = ROOT / "docs" / "detection.md"
LANGUAGES = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French",
    "hi": "Hindi", "hi-Latn": "Hindi in Latin letters", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "pt": "Portuguese", "ru": "Russian", "tr": "Turkish", "zh": "Chinese",
}  # fmt: skip
OURS = "ours"


def share(figure: Mapping[str, Any] | None) -> str:
    """A share with its 95 % interval and n."""
    return "" if figure is None else shown_share(dict(figure))


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


def reply_table(found: Mapping[str, Any]) -> str:
    """What the output guard stops and keeps, in all, by kind and by language."""
    figures = found["figures"]
    parts = [f"Measured by `make bench ONLY=replies` on {found['date']}; 95 % intervals in brackets:"]
    for what, name in (("harmful replies", "harmful stopped"), ("good replies", "good kept")):
        rows = [f"| all | {share(figures[name])} |"]
        for label in ("kind", "language"):
            begin = f"{name}, {label} "
            for key in (key for key in figures if key.startswith(begin)):
                value = key.removeprefix(begin)
                rows.append(f"| {LANGUAGES.get(value, value.replace('_', ' '))} | {share(figures[key])} |")
        done = name.split()[1]
        parts.append("\n".join([f"| {what} | {done} |", "| --- | --- |", *rows]))
    return "\n\n".join(parts)


def main() -> None:
    """Replace the blocks in the page for which there are figures."""
    text = PAGE.read_text(encoding="utf-8")
    for mark, path, make in (("detection", RESULTS, table), ("replies", REPLIES, reply_table)):
        if path.is_file():
            text = replaced(text, mark, make(json.loads(path.read_text(encoding="utf-8"))))
            print(f"docs/detection.md: {mark} written")
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
