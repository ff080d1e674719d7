"""The helpline check: each fault is one line that names file, country, entry and rule."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from smallhours.bootstrap.doctor.check import State
from smallhours.bootstrap.doctor.helplines import entries, sign_off, with_edited
from smallhours.domain.errors import DataError
from smallhours.domain.risk import STALE_DAYS
from smallhours.domain.settings import Settings
from smallhours.safety.helplines import installed

TODAY = date(2026, 11, 24)
ANYWHERE = """
[ZZ]
name = "International"
emergency = "your local emergency number"
[[ZZ.resources]]
name = "Directory"
for = "finding a helpline"
url = "https://example.org"
source = "https://example.org"
checked = "2026-11-24"
verified = "operator page"
"""
SOUND = """
[GB]
name = "United Kingdom"
emergency = "999"
languages = ["en"]
[[GB.resources]]
name = "Line"
for = "anybody"
kind = "crisis"
tel = "0808 808 0000"
source = "https://example.org"
checked = "2026-11-24"
verified = "operator page"
"""
CHAT = """url = "https://example.org"
chat = { url = "https://chat.example.org", source = "read", checked = "2026-11-24" }
"""


def said(text: str, today: date = TODAY) -> list[str]:
    """What is said of a file beside a sound one."""
    return [
        line
        for check in entries(Settings(), {"anywhere.toml": ANYWHERE, "some.toml": text}, today)
        for line in check.details
    ]


def chatting(before: str = "", after: str = "") -> str:
    """The sound file, its line with a chat in which something is replaced."""
    return SOUND.replace("source =", f"{CHAT.replace(before, after) if before else CHAT}source =")


def test_the_sound_file_is_sound() -> None:
    assert said(SOUND) == said(chatting()) == []


def test_a_chat_elsewhere_is_right_if_its_host_is_named() -> None:
    elsewhere = chatting('https://chat.example.org"', 'https://stranger.org/chat", host = "stranger.org"')
    assert said(elsewhere) == []


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("https://chat.", "http://chat.", "chat.url 'http://chat.example.org': must begin with https://"),
        ("chat.example.org", "notexample.org", "not on their own site (https://example.org)"),
        ('source = "read"', 'source = "read", host = "example.com"', "chat.host 'example.com': is not"),
        ('"read"', '" "', "chat.source: empty"),
        ("2026-11-24", "2026-11-25", "chat.checked 2026-11-25: in the future"),
        ("2026-11-24", "today", "chat.checked 'today': no date"),
    ],
)  # fmt: skip
def test_a_fault_of_a_chat_is_told(before: str, after: str, told: str) -> None:
    (line,) = said(chatting(before, after))
    assert line.startswith("some.toml [GB] Line: ") and told in line


def test_a_chat_that_was_checked_long_ago_makes_its_entry_overdue() -> None:
    old = chatting("2026", "2025")
    assert said(old) == ["GB Line: checked 2025-11-24"]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("0808 808 0000", "0808 808", "some.toml [GB] Line: tel '0808 808'"),
        ('tel = "0808 808 0000"', 'tell = "1"', "some.toml [GB] resources.0.tell: Extra inputs"),
        ('tel = "0808 808 0000"', "", "some.toml [GB] Line: cannot be reached"),
        ('tel = "0808 808 0000"', 'sms = "07"', "the first must be a crisis line with a telephone"),
        ('kind = "crisis"', 'kind = "any"', "some.toml [GB] Line: kind 'any'"),
        ('kind = "crisis"', 'kind = "child"', "some.toml [GB] resources: the first must be a crisis line"),
        ('checked = "2026-11-24"', 'checked = "24.11.2026"', "some.toml [GB] Line: checked '24.11.2026'"),
        ('checked = "2026-11-24"', 'checked = "2026-11-25"', "checked 2026-11-25: in the future"),
        ('checked = "2026-11-24"', "", "some.toml [GB] resources.0.checked: Field required"),
        ('verified = "operator page"', 'verified = "yes"', "some.toml [GB] Line: verified 'yes'"),
        ('source = "https://example.org"', 'source = " "', "some.toml [GB] Line: source: empty"),
        ('source =', 'url = "http://example.org"\nsource =', "must begin with https://"),
        ('emergency = "999"', 'emergency = "call them"', "some.toml [GB] emergency: 'call them'"),
        ('languages = ["en"]', "", "some.toml [GB] languages: empty"),
        ("GB", "UK", "some.toml [UK]: no country code"),
        ("[GB]", "[ZZ]", "some.toml [ZZ]"),
        ('emergency = "999"', "emergency = ", "some.toml: not TOML"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place_and_its_rule(before: str, after: str, told: str) -> None:
    assert before in SOUND
    assert any(told in line for line in said(SOUND.replace(before, after))), said(
        SOUND.replace(before, after)
    )


def test_faults_of_all_files_come_together_and_a_repeated_country_and_entry_are_faults() -> None:
    twice = SOUND + SOUND.partition('languages = ["en"]\n')[2]
    texts = {"a.toml": SOUND, "b.toml": twice, "c.toml": "[["}
    (check,) = entries(Settings(), texts, TODAY)
    lines = "\n".join(check.details)
    assert check.state == State.ERROR and check.said.startswith("4 faults")
    assert "b.toml [GB]: a.toml has this country already" in lines
    assert "b.toml [GB] Line: stands there 2 times for 'crisis'" in lines
    assert "c.toml: not TOML" in lines and "no file has [ZZ]" in lines


@pytest.mark.parametrize(("days", "overdue"), [(STALE_DAYS, False), (STALE_DAYS + 1, True)])
def test_an_entry_is_overdue_after_180_days_with_country_name_and_date(days: int, overdue: bool) -> None:
    lines = said(SOUND, TODAY + timedelta(days=days))
    assert ("GB Line: checked 2026-11-24" in lines) is overdue
    assert len(lines) == (2 if overdue else 0)


def test_the_installed_files_have_no_fault_on_the_day_of_their_newest_check() -> None:
    (check,) = entries(Settings(), today=TODAY)
    assert check.state == State.OK and "72 countries" in check.said


def test_an_edited_file_takes_the_place_of_its_namesake(tmp_path: Path) -> None:
    edited = tmp_path / "europe.toml"
    edited.write_text(installed()["europe.toml"].replace('checked = "2026', 'checked = "2025', 1))
    (check,) = entries(Settings(), with_edited(edited), TODAY)
    assert check.state == State.ERROR and len(check.details) == 1
    assert with_edited(tmp_path) == {"europe.toml": edited.read_text()}


def test_what_is_no_helpline_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.toml file"):
        with_edited(tmp_path)
    binary = tmp_path / "x.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        with_edited(binary)
    with pytest.raises(DataError, match="No such file"):
        with_edited(tmp_path / "y.toml")


def test_nobody_has_signed_the_fixed_replies() -> None:
    (check,) = sign_off(Settings())
    assert check.state == State.WARNING and "nobody" in check.said
