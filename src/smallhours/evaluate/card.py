"""The model card, in the hub's form. It can hold no number that no log holds: its only source is the files of
the run (``report.json``, ``verdict.json``, the manifests), and where one of them is silent the card is, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from smallhours.domain.artifacts import Manifest, read_manifest
from smallhours.evaluate.metrics import Figure
from smallhours.evaluate.wording import REQUIREMENTS, interval, number

CARD = "README.md"
TEMPLATES = Path(__file__).parent / "templates"
WARNING = (
    "**Not for anybody in need. This was exported with `--unsafe-skip-gate`: the release gate did not "
    "pass for these weights, or never spoke about them.**"
)
# Where a row's figure stands in report.json, and how it reads.
ROWS = (
    ("held-out loss, untouched base (nats per token)", ("learning", "base", "loss"), "nats"),
    ("held-out loss, tuned (nats per token)", ("learning", "tuned", "loss"), "nats"),
    ("reduction of the loss, paired", ("learning", "reduction"), "share"),
    ("change of the loss on ordinary text", ("learning", "ordinary", "change"), "share"),
    ("raw tuned answers that end by themselves", ("baselines", "tuned", "ended"), "share"),
    ("raw tuned answers that the output guard stops", ("baselines", "tuned", "unsafe"), "share"),
    ("raw tuned answers copied from training", ("baselines", "tuned", "copied"), "share"),
    ("harmful answers to requests: untouched base", ("safety", "requests", "base_harmful"), "share"),
    ("harmful answers to requests: tuned, raw", ("safety", "requests", "tuned_harmful"), "share"),
    ("harmful answers to requests: what ships", ("safety", "requests", "pipeline_harmful"), "share"),
    ("crisis messages recognised by the screen", ("safety", "crisis", "recall"), "share"),
    ("ordinary messages taken for a crisis", ("safety", "ordinary", "false_alarms"), "share"),
)


def render_card(run: Path, report: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    """The card of the run folder's adapter, from its manifests and the files that the evaluation wrote."""
    adapter, dataset = read_manifest(run / "adapter"), read_manifest(run / "dataset")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701 - Markdown; every text that is not ours goes through `plain`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    trained = _trained(adapter) if adapter else {}
    page = environment.get_template("model_card.md")
    return page.render(
        name=plain(run.resolve().name),
        base=plain(str(adapter.config.get("base", ""))) if adapter else "",
        languages=_languages(run),
        verdict=verdict,
        lines=[_line(line) for line in verdict["lines"]],
        figures=[
            (title, _shown(found, unit))
            for title, path, unit in ROWS
            if (found := _at(report, path)) is not None
        ],
        trained=trained,
        data=_counted(dataset) if dataset else {},
        prompt=plain(str(adapter.config.get("system_prompt", ""))) if adapter else "",
    )


def with_warning(card: str) -> str:
    """The card of weights that were let past the gate, with the warning where a reader begins."""
    head, mark, rest = card.partition("\n# ")
    title, _, body = rest.partition("\n")
    return f"{head}{mark}{title}\n\n> {WARNING}\n{body}" if mark else f"> {WARNING}\n\n{card}"


def plain(text: str) -> str:
    """Text that Markdown and YAML leave as it is."""
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in kept)


def _at(report: Mapping[str, Any], path: tuple[str, ...]) -> Figure | None:
    found: Any = report
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return Figure.model_validate(found) if found else None


def _shown(figure: Figure, unit: str) -> str:
    between = interval(figure, unit)
    return f"{number(figure.value, unit)} ({f'{between}; ' if between else ''}n = {figure.n})"


def _line(line: Mapping[str, Any]) -> tuple[str, str, str, str]:
    wanted = REQUIREMENTS[line["name"]]
    value = "not measured" if line["value"] is None else number(line["value"], wanted.unit)
    threshold = f"{wanted.sense} {number(line['threshold'], wanted.unit)}"
    return wanted.title, value, threshold, "holds" if line["pass"] else "**fails**"


def _trained(adapter: Manifest) -> dict[str, str]:
    """What the training logged, in its own words and numbers."""
    titles = {
        "trainable_parameters": "trainable parameters",
        "total_parameters": "parameters in all",
        "best_step": "step that was kept",
        "tokens": "tokens read",
        "seconds": "seconds",
        "dtype": "number format",
        "validation_loss_before": "validation loss before (nats per token)",
        "validation_loss_best": "validation loss of the kept step (nats per token)",
    }
    found = {title: adapter.figures[key] for key, title in titles.items() if key in adapter.figures}
    return {title: plain(_plain_number(value)) for title, value in found.items()}


def _counted(dataset: Manifest) -> dict[str, str]:
    counts = {key: value for key, value in dataset.figures.items() if isinstance(value, int)}
    return {
        key.replace("_", " "): f"{value:,}" for key, value in counts.items() if not isinstance(value, bool)
    }


def _languages(run: Path) -> list[str]:
    """The languages of what was trained on."""
    path = run / "dataset" / "train.jsonl"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    locales = {str(json.loads(line).get("locale", "en")) for line in lines if line.strip()}
    return sorted({locale.split("-")[0].lower() for locale in locales})


def _plain_number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
