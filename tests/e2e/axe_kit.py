"""axe-core, as the package axe-playwright-python brings it (4.12, MPL-2.0): what it has against a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def faults(page: Page) -> list[str]:
    """What axe has against the page, by day and by night; the window is so tall that nothing is covered."""
    found = []
    page.set_viewport_size({"width": page.viewport_size["width"], "height": 3000})  # type: ignore[index]
    for theme in ("day", "night"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        rules = {"type": "tag", "values": WCAG} if theme == "day" else ["color-contrast"]
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.wait_for_function(
            "() => document.getAnimations().every(one => one.effect.getTiming().iterations > 9)"
        )
        results = Axe().run(page, options={"runOnly": rules}).response["violations"]
        found += [f"{theme}: {one['id']}: {[node['html'][:120] for node in one['nodes']]}" for one in results]
    return found
