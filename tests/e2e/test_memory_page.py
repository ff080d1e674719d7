"""Being remembered, as a person meets it: off until they agree, theirs to read, take along and delete."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Locator, Page, expect

from smallhours.domain.settings import ServeSettings
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.app import create_app
from tests.e2e.axe_kit import faults
from tests.e2e.chat_kit import PHONE, button, replies, say
from tests.e2e.memory_fake import TERMS, FakeMemory
from tests.e2e.serving import serving


@pytest.fixture(scope="module")
def remembering(assistant: Assistant) -> Iterator[tuple[str, FakeMemory]]:
    memory = FakeMemory()
    app = create_app(assistant, ServeSettings(), "smallhours-test")
    app.include_router(memory.router)
    with serving(app) as url:
        yield url, memory


@pytest.fixture
def memory(remembering: tuple[str, FakeMemory]) -> FakeMemory:
    remembering[1].forget()
    return remembering[1]


@pytest.fixture
def page(browser: Browser, remembering: tuple[str, FakeMemory], memory: FakeMemory) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, locale="en-US", accept_downloads=True)
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(remembering[0])
    expect(consent(page)).to_be_visible()
    yield page
    context.close()


def consent(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("checkbox", name="Keep my conversation on the server")


def history(page: Page) -> Locator:
    """The panel of what was kept, opened."""
    button(page, "Settings").click()
    dialog = page.get_by_role("dialog", name="Settings")
    dialog.get_by_text("Your kept conversations").click()
    return dialog


def test_nothing_is_kept_until_the_person_agrees(page: Page, memory: FakeMemory) -> None:
    expect(consent(page)).not_to_be_checked()
    expect(page.get_by_role("main")).to_contain_text(TERMS)
    say(page, "I can't sleep")
    assert memory.kept == {}
    assert page.evaluate("localStorage.getItem('smallhours-conversations')") is None


def test_after_agreeing_the_words_are_on_the_server_and_only_a_key_is_on_the_device(
    page: Page, memory: FakeMemory
) -> None:
    consent(page).check()
    say(page, "my exam is on friday")
    say(page, "and i cannot sleep")
    (kept,) = memory.kept.values()
    assert [one["content"] for one in kept.messages if one["role"] == "user"] == [
        "my exam is on friday",
        "and i cannot sleep",
    ]
    on_device = page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert kept.id in on_device and "exam" not in on_device
    consent(page).uncheck()
    say(page, "this one is not kept")
    assert "not kept" not in json.dumps(kept.messages)


def test_a_kept_conversation_can_be_searched_read_and_gone_on_with(page: Page, memory: FakeMemory) -> None:
    consent(page).check()
    say(page, "my exam is on friday")
    page.reload()
    dialog = history(page)
    dialog.get_by_label("Search in them").fill("holiday")
    expect(dialog).to_contain_text("Nothing found.")
    dialog.get_by_label("Search in them").fill("EXAM")
    expect(dialog.get_by_role("listitem")).to_contain_text(["my exam is on friday"])
    assert faults(page) == []
    button(page, "Go on with it").click()
    expect(dialog).to_be_hidden()
    expect(replies(page)).to_contain_text("I heard: my exam is on friday")
    say(page, "it went well")
    (kept,) = memory.kept.values()
    assert len(kept.messages) == 4


def test_a_kept_conversation_can_be_taken_along_and_deleted_for_good(
    page: Page, memory: FakeMemory, tmp_path: Path
) -> None:
    consent(page).check()
    say(page, "my exam is on friday")
    history(page)
    with page.expect_download() as download:
        button(page, "Download").click()
    download.value.save_as(tmp_path / "mine.json")
    assert "my exam is on friday" in (tmp_path / "mine.json").read_text("utf-8")
    button(page, "Delete").click()
    assert len(memory.kept) == 1  # asked first
    button(page, "Delete for good?").click()
    expect(page.get_by_role("dialog")).to_contain_text("Nothing is kept.")
    assert memory.kept == {}
    assert page.evaluate("localStorage.getItem('smallhours-conversations')") is None


def test_all_of_them_can_be_deleted_at_once(page: Page, memory: FakeMemory) -> None:
    for text in ("one", "two"):
        consent(page).check()
        say(page, text)
        page.reload()
        expect(consent(page)).not_to_be_checked()  # each conversation is asked about anew
    history(page)
    button(page, "Delete all").click()
    button(page, "Delete for good?").click()
    expect(page.get_by_role("dialog")).to_contain_text("Nothing is kept.")
    assert memory.kept == {}


def test_a_memory_that_does_not_answer_stops_nobody_from_talking(page: Page, memory: FakeMemory) -> None:
    consent(page).check()
    memory.up = False
    say(page, "I can't sleep")
    expect(page.get_by_role("log")).to_contain_text("The memory does not answer. We can talk")
    expect(replies(page).locator(".sentence").first).to_be_visible()
    memory.up, memory.stored = True, False
    say(page, "still awake")
    expect(page.get_by_role("log")).to_contain_text("This reply was not kept")


def test_only_with_leave_may_anybody_read_a_conversation_that_is_reported(
    page: Page, memory: FakeMemory
) -> None:
    leave = page.get_by_role("checkbox", name="Let the people who run this service read this conversation")
    say(page, "not kept")
    button(page, "Report").click()
    expect(leave).to_have_count(0)
    consent(page).check()
    say(page, "hello")
    (kept,) = memory.kept.values()
    button(page, "Report").click()
    expect(leave).not_to_be_checked()
    button(page, "It is hurtful").click()
    expect(page.get_by_role("log")).to_contain_text("Only this choice was sent")
    assert kept.reported == []
    button(page, "Report").click()
    leave.check()
    button(page, "It is wrong").click()
    expect(page.get_by_role("log")).to_contain_text("They can read this conversation now")
    assert kept.reported == ["wrong"]
    memory.up = False
    button(page, "Report").click()
    leave.check()
    button(page, "It is wrong").click()
    expect(page.get_by_role("log")).to_contain_text("they cannot read your words")


def test_trying_again_is_not_stored_twice(page: Page, memory: FakeMemory) -> None:
    consent(page).check()
    broken = {"left": 1}

    def first_time(route: object) -> None:
        if broken["left"]:
            broken["left"] = 0
            route.fetch()  # type: ignore[attr-defined]  # the server hears it; the answer is lost on the way
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route("**/messages", first_time)
    say(page, "hello")
    button(page, "Try again").click()
    expect(replies(page)).to_contain_text("I heard: hello")
    (kept,) = memory.kept.values()
    assert len(kept.messages) == 2
