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


def named(nav: Any) -> set[str]:
    """The pages that a navigation leads to."""
    if isinstance(nav, str):
        return {nav}
    return set().union(*map(named, nav.values() if isinstance(nav, dict) else nav))


def unnamed(docs: Path, nav: Any) -> list[str]:
    """Pages that are written and that the navigation does not lead to."""
    there = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    return sorted(there - named(nav))


def with_decisions(nav: Any, listed: list[dict[str, str]]) -> Any:
    """The navigation with the decisions where it names their folder."""
    if isinstance(nav, list):
        return [with_decisions(one, listed) for one in nav]
    if isinstance(nav, dict):
        return {title: listed if to == DECISIONS else with_decisions(to, listed) for title, to in nav.items()}
    return nav


def on_config(config: Any, **_: Any) -> Any:
    """Complete the navigation: every decision, and every page that nobody named."""
    docs = Path(config["docs_dir"])
    nav = with_decisions(config["nav"], decisions(docs))
    more = unnamed(docs, nav)
    config["nav"] = [*nav, {"More": more}] if more else nav
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Figures stand in the README, and where a page asks for them."""
    if MEASURED not in markdown:
        return markdown
    return markdown.replace(MEASURED, measured((ROOT / "README.md").read_text(encoding="utf-8")))
