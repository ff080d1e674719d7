"""What mkdocs.yml cannot say by itself: the list of decisions, and the measured table of the README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = "decisions"
MEASURED = "<!-- measured -->"


def decisions(docs: Path) -> list[dict[str, str]]:
    """Title and page of each decision, in order; the title is the page's own heading."""
    found = []
    for path in sorted((docs / DECISIONS).glob("*.md")):
        heading = path.read_text(encoding="utf-8").splitlines()[0]
        found.append({heading.lstrip("# "): f"{DECISIONS}/{path.name}"})
    return found


def measured(readme: str) -> str:
    """The block of measured figures that ``scripts/readme_figures.py`` keeps in the README."""
    return readme.split(MEASURED)[1].split("<!-- /measured -->")[0].strip()


def on_config(config: Any, **_: Any) -> Any:
    """Put the decisions where the navigation names their folder."""
    listed = decisions(Path(config["docs_dir"]))

    def with_decisions(entry: Any) -> Any:
        if isinstance(entry, list):
            return [with_decisions(one) for one in entry]
        if isinstance(entry, dict):
            return {title: listed if to == DECISIONS else with_decisions(to) for title, to in entry.items()}
        return entry

    config["nav"] = with_decisions(config["nav"])
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Figures stand in the README, and where a page asks for them."""
    if MEASURED not in markdown:
        return markdown
    return markdown.replace(MEASURED, measured((ROOT / "README.md").read_text(encoding="utf-8")))
