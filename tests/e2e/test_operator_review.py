"""The review inside the operator's page: a reviewer on a phone by keyboard alone, an operator at a desk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from smallhours.corpus.review.ledger import read_ledger
from smallhours.corpus.review.room import Room
from smallhours.domain.settings import ServeSettings
from smallhours.domain.sign_offs import Verdict
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.api_keys import ApiKeys
from smallhours.serve.gateway.app import Parts, create_app
from tests.e2e.axe_kit import faults
from tests.e2e.chat_kit import PHONE
from tests.e2e.serving import serving
from tests.unit.corpus.review_kit import BO, pair, review


@dataclass
class Service:
    """A running gateway with three pairs to review, a reviewer's key and an operator's."""

    url: str
    reviewer: str
    operator: str
    file: Path


@pytest.fixture
def service(assistant: Assistant, tmp_path: Path) -> Iterator[Service]:
    data, file = tmp_path / "pairs.jsonl", tmp_path / "signed.jsonl"
    data.write_text("".join(pair(n).model_dump_json() + "\n" for n in (1, 2, 3)))
    keys = ApiKeys(tmp_path / "keys.json")
    reviewer, _ = keys.add("Ana Osei", ("reviewer",), 90, "clinical psychologist")
    operator, _ = keys.add("Cleo Dahl", ("operator",), 90, "nurse")
    parts = Parts(keys=keys, reviews=Room(str(data), file))
    with serving(create_app(assistant, ServeSettings(), "smallhours-test", parts)) as url:
        yield Service(url, reviewer, operator, file)


@contextmanager
def window(browser: Browser, service: Service, key: str, **how: object) -> Iterator[Page]:
    """Logged in by keyboard; nothing may be complained of in the console."""
    context = browser.new_context(**how)
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{service.url}/operator")
    page.get_by_label("Operator’s or reviewer’s key").focus()
    page.keyboard.type(key)
    page.keyboard.press("Enter")
    yield page
    assert complaints == []
    context.close()


def at(page: Page, heading: str) -> None:
    """Waits for a page and its picture: a browser drops keys that are pressed before."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_a_reviewer_signs_on_a_phone_by_keyboard_alone(browser: Browser, service: Service) -> None:
    with window(browser, service, service.reviewer, viewport=PHONE, is_mobile=True, has_touch=True) as phone:
        at(phone, "p1")
        expect(phone.get_by_text("Signing as Ana Osei, clinical psychologist")).to_be_visible()
        assert faults(phone) == []
        phone.set_viewport_size({"width": 320, "height": PHONE["height"]})
        assert phone.evaluate("document.documentElement.scrollWidth") <= 320
        reached = []
        for _ in range(6):
            phone.keyboard.press("Tab")
            reached.append(phone.evaluate("document.activeElement.innerText"))
        assert reached == ["To the text", "Next pair", "Status", "Log out", "Approve", "Skip"]
        phone.keyboard.press("Shift+Tab")
        phone.keyboard.press("Enter")
        at(phone, "p2")
        expect(phone.get_by_role("status")).to_contain_text("Recorded: approve on p1.")
        phone.locator("summary", has_text="Reject").focus()
        phone.keyboard.press("Enter")
        phone.get_by_label("Reason").focus()
        phone.keyboard.type("no warmth in it")
        phone.keyboard.press("Tab")
        phone.keyboard.press("Enter")
        at(phone, "p3")
        phone.get_by_role("button", name="Log out").click()
        at(phone, "Log in")
    signed = [(one.pair, one.verdict.value, str(one.reviewer)) for one in read_ledger(service.file).sign_offs]
    who = "Ana Osei (clinical psychologist)"
    assert signed == [("p1", "approve", who), ("p2", "reject", who)]


def test_an_operator_sees_where_the_review_stands_and_reviews(browser: Browser, service: Service) -> None:
    review(service.file, BO, pairs=3).sign(0, Verdict.REJECT, "much too cold")
    with window(browser, service, service.operator, viewport={"width": 1280, "height": 800}) as desk:
        at(desk, "Overview")
        expect(desk.get_by_text("Bo Li (GP), 1 judged")).to_be_visible()
        assert faults(desk) == []
        desk.get_by_role("link", name="Review pairs").click()
        at(desk, "p1")
        expect(desk.get_by_text("much too cold")).to_have_count(0)
        desk.get_by_role("button", name="Approve", exact=True).click()
        expect(desk.get_by_role("status")).to_contain_text("Bo Li (GP) said reject: much too cold")
        desk.get_by_role("link", name="Status").click()
        at(desk, "Where the review stands")
        expect(desk.get_by_role("row", name="disputed 1")).to_be_visible()
        assert faults(desk) == []
        desk.get_by_role("link", name="Overview").click()
        at(desk, "Overview")
