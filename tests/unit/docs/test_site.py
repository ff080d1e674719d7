"""The site builds without a warning, and every link in it leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from smallhours.domain.settings import known_keys
from tests.unit.docs.pages import DOCS, PAGES, ROOT

_LINK = re.compile(
    r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|<(?:img|a)[^>]+(?:src|href)=\"([^\"]+)\"|!\[[^\]]*\]\(([^)\s]+)\)"
)


class Page(HTMLParser):
    """Links, anchors, and what a browser would fetch by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.fetched: list[str] = []
        self.unnamed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in ("img", "script") and "src" in found:
            self.fetched.append(found["src"])
        if tag == "link" and found.get("rel") in ("stylesheet", "icon", "preload", "preconnect"):
            self.fetched.append(found["href"])
        if tag == "img" and "md-content" not in found.get("class", "") and not found.get("alt"):
            self.unnamed.append(found.get("src", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """Built as ``make docs`` builds it: strictly."""
    mkdocs = pytest.importorskip("mkdocs.config")
    from mkdocs.commands.build import build

    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        build(mkdocs.load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder)))
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}


def inside(links: list[str]) -> Iterator[tuple[str, str]]:
    """Path and anchor of the links that stay in the site."""
    for link in links:
        parts = urlsplit(link)
        if not parts.scheme and not parts.netloc:
            yield unquote(parts.path), unquote(parts.fragment)


def test_every_page_is_built(site: dict[Path, Page]) -> None:
    built = {path.with_suffix("").name for path in site}
    assert {path.stem for path in DOCS.rglob("*.md")} <= built


def test_links_and_anchors_lead_somewhere(site: dict[Path, Page]) -> None:
    broken = []
    for path, page in site.items():
        if path.name == "404.html":  # its links begin at the site's address
            continue
        for target, anchor in inside([*page.links, *page.fetched]):
            found = (path.parent / target).resolve() if target else path
            if not found.exists():
                broken.append(f"{path.name}: {target}")
            elif anchor and found in site and anchor not in site[found].anchors:
                broken.append(f"{path.name}: {target}#{anchor}")
    assert not broken


def test_nothing_is_fetched_from_anybody_else(site: dict[Path, Page]) -> None:
    assert not [
        f"{path.name}: {one}" for path, page in site.items() for one in page.fetched if urlsplit(one).netloc
    ]


def test_every_picture_on_a_page_has_words(site: dict[Path, Page]) -> None:
    unnamed = {one for page in site.values() for one in page.unnamed}
    assert not {one for one in unnamed if "logo" not in one}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_in_the_sources_lead_to_files(page: Path) -> None:
    for groups in _LINK.findall(page.read_text(encoding="utf-8")):
        target, _, _ = next(filter(None, groups)).partition("#")
        if target and not urlsplit(target).scheme:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_regulations_name_sources_and_only_settings_that_exist() -> None:
    text = (DOCS / "regulations.md").read_text(encoding="utf-8")
    assert "not legal advice" in text
    named = set(re.findall(r"`([a-z]+\.[a-z_]+)`(?! \(missing\))", text))
    missing = set(re.findall(r"`([a-z]+\.[a-z_]+)` \(missing\)", text))
    replies = {name for name in named if name.startswith("smallhours.")}  # fields of a reply
    assert named - replies <= set(known_keys())
    assert not missing & set(known_keys()), "it exists now: say what it answers"
    for section in text.split("\n## ")[1:-1]:
        assert "\nSource: " in section, section.splitlines()[0]


def test_the_page_on_the_api_names_real_addresses() -> None:
    routes = (ROOT / "src/smallhours/serve/gateway").glob("*.py")
    served = set(
        re.findall(r"router\.(?:get|post)\(\s*\"([^\"]+)\"", "\n".join(p.read_text() for p in routes))
    )
    page = (DOCS / "integrating.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(?:GET|POST) (/[\w/.]*)`", page))
    assert told
    assert told <= served, "the page names what the gateway does not serve"
