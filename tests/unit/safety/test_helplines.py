"""The helpline tables: complete, dialable as far as that can be known, and strict about their form."""

from __future__ import annotations

from datetime import date

import phonenumbers
import pytest

from smallhours.domain.errors import DataError
from smallhours.safety.helplines import ANYWHERE, contacts, read_tables, tables

PAGES = {
    "stored copy of operator page",
    "stored copy of government page",
    "stored copy of independent listing",
    "not verified against a page",
}
KINDS = {"crisis", "domestic_violence", "child", "substance", "eating_disorder", "lgbtq"}
SHORT_CODE = 6  # digits; short codes stay as they are dialled, and no library knows all of them
# Read on a page, unknown to the numbering plans of ``phonenumbers``: a name or special rate of one country.
UNKNOWN_TO_THE_PLAN: set[tuple[str, str]] = set()

COUNTRIES = [code for code in tables() if code != ANYWHERE]
ENTRIES = [(code, one) for code, country in tables().items() for one in country.resources]


def test_sixty_countries_have_a_line_for_anybody_in_a_crisis() -> None:
    assert len(COUNTRIES) >= 60
    for code in COUNTRIES:
        first = tables()[code].resources[0]
        assert first.kind == "crisis" and first.tel, f"{code}: {first.name}"
        assert tables()[code].languages, code


def test_every_entry_says_where_and_when_it_was_read() -> None:
    for code, one in ENTRIES:
        assert one.verified in PAGES and one.kind in KINDS, f"{code}: {one.name}"
        assert date.fromisoformat(one.checked) <= date(2100, 1, 1) and one.source, f"{code}: {one.name}"
        assert one.url is None or one.url.startswith("https://"), f"{code}: {one.url}"
        assert one.tel or one.sms or one.url, f"{code}: {one.name} cannot be reached"


def test_a_chat_is_on_the_services_own_site_or_its_host_is_named() -> None:
    chats = [(code, one) for code, one in ENTRIES if one.chat]
    assert chats
    for code, one in chats:
        assert one.chat and one.chat.url.startswith("https://") and one.chat.source, f"{code}: {one.name}"
        assert one.oldest_check <= min(one.checked, one.chat.checked), f"{code}: {one.name}"
        assert contacts().has_url(one.chat.url), f"{code}: our replies may name it"


def test_numbers_longer_than_a_short_code_are_numbers_of_their_country() -> None:
    wrong = set()
    for code, one in ENTRIES:
        for dialled in filter(None, (one.tel,)):
            if sum(letter.isdigit() for letter in dialled) <= SHORT_CODE:
                continue
            parsed = phonenumbers.parse(dialled, code)
            if not phonenumbers.is_valid_number(parsed):
                wrong.add((code, dialled))
    assert wrong == UNKNOWN_TO_THE_PLAN


def test_a_country_in_two_files_and_a_malformed_entry_are_named_together() -> None:
    row = '[XX]\nname = "X"\nemergency = "112"\nresources = []\n'
    with pytest.raises(DataError) as caught:
        read_tables({"a.toml": row, "b.toml": row + "[YY]\nname = 3\n", "c.toml": "[["})
    said = "\n".join(caught.value.problems)
    assert "b.toml [XX]: another file" in said and "b.toml [YY]" in said and "c.toml: not TOML" in said
    assert f"no [{ANYWHERE}]" in said
