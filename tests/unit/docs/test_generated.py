"""Pages and pictures that are made from the code say what the code says today."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import matplotlib
import pytest
from PIL import ImageFont

from scripts import diagrams, reference
from smallhours.domain.settings import known_keys
from tests.unit.docs.pages import DOCS, ROOT

STALE = "is out of date; run: python scripts/reference.py && python scripts/diagrams.py"


@pytest.mark.parametrize("page", ["configuration.md", "cli.md", "safety.md"])
def test_pages_made_from_the_code_are_fresh(page: str) -> None:
    assert DOCS / page not in reference.out_of_date(reference.pages()), f"docs/{page} {STALE}"


def test_every_setting_and_no_other_is_on_the_page() -> None:
    shown = re.findall(r"^\| `([a-z_.]+)` \|", reference.settings_page(), re.MULTILINE)
    assert sorted(shown) == sorted(known_keys())


def test_diagrams_are_fresh() -> None:
    drawn = diagrams.pictures()
    assert len(drawn) == 4
    for path, wanted in drawn.items():
        assert path.read_text(encoding="utf-8") == wanted, f"{path.relative_to(ROOT)} {STALE}"


@pytest.mark.parametrize("source", sorted(diagrams.SOURCES.glob("*.toml")), ids=lambda path: path.stem)
def test_text_fits_its_box(source: Path) -> None:
    """Measured in DejaVu Sans, which is wider than what most screens have."""
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    head = ImageFont.truetype(fonts / "DejaVuSans-Bold.ttf", 15)
    line = ImageFont.truetype(fonts / "DejaVuSans.ttf", 13)
    spec = diagrams.filled(tomllib.loads(source.read_text(encoding="utf-8")), diagrams.numbers())
    for one in spec["box"]:
        for number, text in enumerate(one["text"]):
            wide = (line if number else head).getlength(text)
            assert wide <= one["at"][2] - 4, f"{source.stem}, box '{one['id']}': '{text}' is {wide:.0f} wide"


@pytest.mark.parametrize("path", sorted(diagrams.PICTURES.glob("*.svg")), ids=lambda path: path.stem)
def test_a_picture_tells_its_title_and_its_story(path: Path) -> None:
    svg = path.read_text(encoding="utf-8")
    assert 'role="img"' in svg
    assert re.search(r'<title id="title">[^<]{10,}</title>', svg)
    assert re.search(r'<desc id="desc">[^<]{200,}</desc>', svg)
    assert "prefers-color-scheme:dark" in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_the_explanation_has_the_true_numbers_of_the_adapter() -> None:
    page = (DOCS / "how-it-works.md").read_text(encoding="utf-8")
    known = diagrams.numbers()
    for name in ("total", "trained", "weights", "a", "ab"):
        assert f"{known[name]:,}" in page, name
    assert f"{known['trained_percent']} of the model" in page
    assert f"α / r = {known['alpha']} / {known['rank']}" in page
