"""The page's catalogs: every text in every language, and no text that is no longer shown."""

from __future__ import annotations

import pytest

from scripts import catalogs
from smallhours.serve.gateway.interface import CATALOGS, FALLBACK, LANGUAGES

TRANSLATED = [code for code in LANGUAGES if code != FALLBACK]


@pytest.fixture(scope="module")
def template() -> catalogs.Catalog:
    return catalogs.collected()


def test_texts_are_found_in_templates_in_scripts_and_in_python(template: catalogs.Catalog) -> None:
    for text in ("Get human help", "You can reach a person right now", "children and young people"):
        assert template.get(text) is not None


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalog_is_complete_and_up_to_date(template: catalogs.Catalog, code: str) -> None:
    merged = catalogs.merged(code, template)
    assert catalogs.missing(merged) == []
    assert (CATALOGS / f"{code}.po").read_bytes() == catalogs.text_of(merged), "run scripts/catalogs.py"


def test_a_new_text_waits_for_its_translator() -> None:
    template = catalogs.collected()
    template.add("Something nobody translated yet", locations=[("templates/chat.html", None)])
    assert catalogs.missing(catalogs.merged("es", template)) == ["Something nobody translated yet"]
