"""The operator's page as whoever runs the service meets it: on a phone, by keyboard, by day and night."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from smallhours.bootstrap import remembering
from smallhours.domain.settings import ServeSettings, load_settings
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.api_keys import ApiKeys
from smallhours.serve.gateway.app import Parts, create_app
from tests.e2e.axe_kit import faults
from tests.e2e.chat_kit import PHONE
from tests.e2e.serving import serving

WORDS = "another long night, i keep thinking of tomorrow and cannot sleep"


@dataclass
class Service:
    """A running gateway, the operator's key, and the id of a conversation that was reported."""

    url: str
    key: str
    reported: str


@pytest.fixture(scope="module")
def service(assistant: Assistant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    runs = tmp_path_factory.mktemp("operator")
    settings = load_settings(None, {}, {"runs": str(runs), "memory.timeout_seconds": 15})
    keys = ApiKeys(runs / "keys.json")
    parts = Parts(
        memory=settings.memory,
        keys=keys,
        open_memory=lambda: remembering.open_room(settings).memory,
        purge=remembering.purging(settings),
        oversight=remembering.overseeing(settings),
    )
    key, _ = keys.add("Ana Osei", ("operator",), 90)
    with serving(create_app(assistant, ServeSettings(), "smallhours-test", parts)) as url:
        yield Service(url, key, _reported(url))


def _reported(url: str) -> str:
    """Somebody has a conversation kept and asks to have it looked into; somebody else is in a crisis."""
    with httpx.Client(base_url=url, timeout=30) as client:
        begun = client.post("/v1/conversations", json={"consent": True}).json()
        path, token = f"/v1/conversations/{begun['id']}", {"smallhours-token": begun["token"]}
        assert client.post(f"{path}/messages", json={"content": WORDS}, headers=token).is_success
        assert client.post(f"{path}/report", json={"fault": "hurtful"}, headers=token).is_success
        crisis = [{"role": "user", "content": "i am going to kill myself tonight"}]
        assert client.post("/v1/chat/completions", json={"messages": crisis}).is_success
        return str(begun["id"])


@pytest.fixture
def phone(browser: Browser, service: Service) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{service.url}/operator")
    yield page
    assert complaints == []
    context.close()


def test_an_operator_logs_in_looks_opens_a_report_and_settles_it_by_keyboard_alone(
    phone: Page, service: Service, tmp_path: Path
) -> None:
    keyboard = phone.keyboard
    assert faults(phone) == []
    phone.get_by_label("Operator’s key").focus()
    keyboard.type(service.key)
    keyboard.press("Enter")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(phone.get_by_role("row", name="suicide 1 1 1")).to_be_visible()
    expect(phone.get_by_text(WORDS)).to_have_count(0)
    assert faults(phone) == []
    for width in (320, PHONE["width"]):
        phone.set_viewport_size({"width": width, "height": PHONE["height"]})
        assert phone.evaluate("document.documentElement.scrollWidth") <= width
    phone.get_by_label("Why you open it").focus()
    keyboard.type("what was hurtful?")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(phone.get_by_role("heading", level=1)).to_have_text("A reported conversation")
    expect(phone.get_by_text(WORDS)).to_be_visible()
    assert faults(phone) == []
    phone.get_by_label("What came of it").focus()
    keyboard.type("reworded the answer")
    keyboard.press("Enter")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Overview")
    phone.get_by_text("Who looked at what").click()
    expect(phone.get_by_role("listitem").filter(has_text="what was hurtful?")).to_be_visible()
    phone.get_by_role("button", name="Log out").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Log in")
