"""The chat page as a person meets it, in a real browser.

``chat_url`` (conftest.py) serves the real app with a scripted engine. Where a test needs a reply
of a certain shape or speed, it sends the page's request to ``stand_in`` instead.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chat_kit import (
    ABOUT,
    CHAT,
    ELSEWHERE,
    PHONE,
    RESOURCE,
    SENTENCES,
    StandIn,
    box,
    button,
    people,
    replies,
    say,
)


def test_it_says_what_it_is_before_anything_else(page: Page) -> None:
    notice = page.get_by_role("list", name="Before you start")
    expect(notice).to_contain_text("an AI, not a person")
    expect(notice).to_contain_text("not a therapist")
    expect(notice).to_contain_text("not for emergencies")
    expect(page.locator("#disclaimer")).to_be_in_viewport()


def test_a_message_gets_a_reply_and_the_next_one_carries_both(page: Page) -> None:
    sent: list[dict[str, object]] = []
    page.on(
        "request", lambda request: sent.append(request.post_data_json) if request.method == "POST" else None
    )
    first = say(page, "I can't sleep")
    expect(first.locator(".sentence").first).to_be_visible()
    say(page, "It is my exams")
    expect(replies(page)).to_have_count(2)
    expect(box(page)).to_have_value("")
    assert [turn["role"] for turn in sent[1]["messages"]] == ["user", "assistant", "user"]
    assert sent[1]["messages"][0]["content"] == "I can't sleep"
    assert sent[1]["stream"] is True


def test_each_sentence_is_added_once_and_a_blank_line_parts_them(page: Page, stand_in: StandIn) -> None:
    stand_in.take_over(page)
    reply = say(page, "hello")
    assert reply.locator(".sentence").all_text_contents() == [
        sentence.replace("\n\n", "") for sentence in SENTENCES
    ]
    expect(reply.locator(".words p")).to_have_count(2)


def test_a_suggestion_begins_the_conversation(page: Page) -> None:
    page.get_by_role("group", name="Ways to begin").get_by_role("button").first.click()
    expect(page.get_by_role("log")).to_contain_text("I can’t sleep")
    expect(page.get_by_role("group", name="Ways to begin")).to_have_count(0)


def test_shift_enter_makes_a_new_line_and_an_unsent_draft_survives_a_reload(page: Page) -> None:
    box(page).press_sequentially("one")
    box(page).press("Shift+Enter")
    box(page).press_sequentially("two")
    expect(replies(page)).to_have_count(0)
    page.reload()
    expect(box(page)).to_have_value("one\ntwo")


def test_stop_keeps_what_was_said_so_far(page: Page, stand_in: StandIn) -> None:
    stand_in.go.clear()
    stand_in.take_over(page)
    box(page).fill("hello")
    button(page, "Send").click()
    expect(replies(page)).to_contain_text("You are not alone with it.")
    page.wait_for_timeout(700)  # a stop sooner than this counts as a double tap
    button(page, "Stop").click()
    expect(button(page, "Send")).to_be_focused()
    expect(replies(page)).to_contain_text("Stopped.")
    expect(page.get_by_role("group", name="No answer")).to_have_count(0)
    expect(button(page, "Try again")).to_be_visible()
    stand_in.go.set()
    say(page, "again")
    assert "not alone" in stand_in.asked[1]["messages"][1]["content"]


def test_a_double_tap_on_send_does_not_stop_the_reply(page: Page, stand_in: StandIn) -> None:
    stand_in.go.clear()
    stand_in.take_over(page)
    box(page).fill("hello")
    button(page, "Send").dblclick()
    stand_in.go.set()
    expect(replies(page)).to_contain_text(SENTENCES[-1])


def test_a_failure_is_honest_shows_people_and_can_be_tried_again(page: Page) -> None:
    page.route(CHAT, lambda route: route.abort())
    reply = say(page, "are you there")
    expect(reply).to_contain_text("I can’t answer right now.")
    expect(reply).to_contain_text("These people can:")
    expect(reply.locator("a[href^='tel:']").first).to_be_visible()
    page.unroute(CHAT)
    button(page, "Try again").click()
    expect(replies(page)).to_have_count(1)
    expect(replies(page).locator(".sentence").first).to_be_visible()
    expect(page.get_by_role("group", name="No answer")).to_have_count(0)


def test_a_reply_that_breaks_off_says_so(page: Page) -> None:
    chunk = json.dumps({"choices": [{"delta": {"content": "I hear "}}], "smallhours": ABOUT})
    page.route(CHAT, lambda route: route.fulfill(content_type="text/event-stream", body=f"data: {chunk}\n\n"))
    expect(say(page, "hello")).to_contain_text("My answer broke off here.")


def test_an_assistant_without_its_model_can_be_tried_again_and_is_not_quoted(
    page: Page, stand_in: StandIn
) -> None:
    stand_in.about |= {"source": "unavailable", "resources": [RESOURCE]}
    stand_in.take_over(page)
    reply = say(page, "hello")
    expect(reply.locator("a[href^='tel:']").first).to_be_visible()
    expect(reply).not_to_contain_text("I can’t answer right now.")  # the server's own words say so
    button(page, "Try again").click()
    expect(button(page, "Send")).to_be_visible()
    assert [turn["role"] for turn in stand_in.asked[1]["messages"]] == ["user"]


def test_a_message_that_is_refused_comes_back_to_be_changed(page: Page) -> None:
    error = {"error": {"message": "the body is larger than 65536 bytes", "type": "too_large"}}
    page.route(CHAT, lambda route: route.fulfill(status=413, json=error))
    reply = say(page, "a very long story")
    expect(reply).to_contain_text("longer than I can read")
    expect(box(page)).to_have_value("a very long story")
    expect(button(page, "Try again")).to_have_count(0)


def test_a_long_night_still_fits_and_drops_our_own_words_first(page: Page, stand_in: StandIn) -> None:
    stand_in.take_over(page)
    for number in range(4):
        say(page, f"part {number} " + "so it goes " * 450)
    sent = stand_in.asked[-1]["messages"]
    assert sum(len(turn["content"]) for turn in sent) <= 15_000
    assert sent[-1]["content"].startswith("part 3")
    assert "assistant" not in [turn["role"] for turn in sent]


def test_a_crisis_message_shows_people_and_the_talk_goes_on(page: Page) -> None:
    reply = say(page, "I want to kill myself tonight")
    expect(reply.locator(".sentence").first).to_be_in_viewport()
    expect(people(page).locator("a[href='tel:988']")).to_be_in_viewport()
    people(page).get_by_role("button", name="I’m with someone now").click()
    expect(people(page)).to_contain_text("I’m glad someone is with you.")
    say(page, "my sister is here")
    expect(replies(page)).to_have_count(2)


def test_an_emergency_puts_the_emergency_number_first(page: Page) -> None:
    reply = say(page, "I just took all of my pills")
    first = reply.get_by_role("link").first
    expect(first).to_have_attribute("href", "tel:911")
    expect(first).to_be_in_viewport()
    assert first.evaluate(
        "link => !!(link.compareDocumentPosition(link.closest('article').querySelector('.words')) & 4)"
    )
    assert people(page).locator("a[href='tel:911']").count() == 0


def test_where_no_emergency_number_is_known_there_is_no_dead_link(page: Page) -> None:
    say(page, "I just took all of my pills")
    button(page, "Get human help").click()
    page.get_by_label("Where are you?").select_option("ZZ")
    button(page, "Back to chat").click()
    expect(page.get_by_role("group", name="Emergency number")).to_contain_text(
        "Call your local emergency number"
    )
    assert page.locator("a[href='tel:']").count() == 0


def test_helplines_become_links_to_call_to_text_and_to_read(page: Page, stand_in: StandIn) -> None:
    stand_in.about |= {"level": "elevated", "action": "answer_with_resources", "resources": [RESOURCE]}
    stand_in.take_over(page)
    say(page, "hello")
    links = people(page).get_by_role("link")
    expect(links.nth(0)).to_have_attribute("href", "tel:0800123")
    expect(links.nth(1)).to_have_attribute("href", "sms:85258?&body=HELLO%20THERE")
    expect(links.nth(2)).to_have_attribute("rel", "noreferrer")
    expect(links.nth(0)).to_have_accessible_name(re.compile("Night Line"))


def test_a_chat_of_the_service_is_one_tap_away_and_named_before_its_website(
    page: Page, stand_in: StandIn
) -> None:
    resources = [
        {**RESOURCE, "chat": "https://chat.example.org"},
        {**RESOURCE, "name": "Day Line", "chat": RESOURCE["url"]},
    ]
    stand_in.about |= {"level": "high", "action": "crisis_reply", "resources": resources}
    stand_in.take_over(page)
    say(page, "hello")
    links = people(page).get_by_role("link", name=re.compile("Chat|Website"))
    shown = [re.compile(f"^{label}, ") for label in ("Chat online", "Website", "Chat online")]
    expect(links).to_have_text(shown)
    expect(links.nth(0)).to_have_attribute("href", "https://chat.example.org")
    expect(links.nth(2)).to_have_accessible_name(re.compile("^Chat online ?, Day Line, in a new tab"))


def test_a_web_link_that_is_not_one_is_left_out(page: Page, stand_in: StandIn) -> None:
    resources = [{**RESOURCE, "url": "javascript:alert(1)", "chat": "javascript:alert(2)"}]
    stand_in.about |= {"level": "high", "action": "crisis_reply", "resources": resources}
    stand_in.take_over(page)
    say(page, "hello")
    assert people(page).locator("a[href^='javascript']").count() == 0


def test_the_country_chosen_is_remembered_and_sent(page: Page, stand_in: StandIn) -> None:
    stand_in.take_over(page)
    button(page, "Get human help").click()
    panel = page.get_by_role("dialog", name="People who can help now")
    panel.get_by_label("Where are you?").select_option("GB")
    expect(panel.get_by_role("link", name="Call 999")).to_be_visible()
    button(page, "Back to chat").click()
    expect(panel).to_be_hidden()
    say(page, "hello")
    assert stand_in.asked[0]["locale"] == "en-GB"
    button(page, "Get human help").click()
    expect(panel.get_by_label("Where are you?")).to_have_value("GB")


def test_what_a_person_writes_stays_text(page: Page) -> None:
    say(page, "<img src=x onerror=alert(1)><b>bold</b>")
    log = page.get_by_role("log")
    expect(log).to_contain_text("<b>bold</b>")
    assert log.locator("img, b").count() == 0


def _stub_elsewhere(page: Page) -> None:
    page.route(
        f"{ELSEWHERE}**",
        lambda route: route.fulfill(content_type="text/html", body="<h1>An encyclopedia</h1>"),
    )


def _has_left(page: Page) -> None:
    page.wait_for_url(f"{ELSEWHERE}**")
    page.go_back()
    assert page.get_by_text("Smallhours").count() == 0


def test_quick_exit_leaves_and_the_back_button_does_not_return(page: Page, chat_url: str) -> None:
    _stub_elsewhere(page)
    box(page).fill("nobody must read this")
    button(page, "Quick exit").click()
    _has_left(page)
    page.goto(chat_url)
    expect(box(page)).to_have_value("")


def test_quick_exit_blanks_the_page_before_the_next_one_has_come(page: Page) -> None:
    page.route(f"{ELSEWHERE}**", lambda route: route.abort())
    press_and_look = """() => {
        document.querySelector('[data-exit]').click();
        return [document.body.innerText.trim(), document.title];
    }"""
    assert page.evaluate(press_and_look) == ["", "www.wikipedia.org"]


def test_quick_exit_is_there_in_the_help_panel_too(page: Page) -> None:
    _stub_elsewhere(page)
    button(page, "Get human help").click()
    page.get_by_role("dialog").get_by_role("button", name="Quick exit").click()
    _has_left(page)


def test_shift_three_times_leaves_but_capitals_do_not(page: Page) -> None:
    _stub_elsewhere(page)
    box(page).focus()
    for letter in "ABCD":
        page.keyboard.press(f"Shift+{letter}")
    expect(box(page)).to_have_value("ABCD")
    for _ in range(3):
        page.keyboard.press("Shift")
    _has_left(page)


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(button(page, "Get human help")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    for key in ("Enter", "Space"):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(button(page, "Get human help")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to writing")).to_be_focused()
    page.keyboard.press("Enter")
    expect(box(page)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    for _ in range(3):
        page.keyboard.press("Tab")
        if box(page).evaluate("element => element === document.activeElement"):
            break
    page.keyboard.type("I can't sleep")
    page.keyboard.press("Enter")
    expect(replies(page).locator(".sentence").first).to_be_visible()
    expect(box(page)).to_be_focused()


def test_escape_stops_a_reply(page: Page) -> None:
    page.route(CHAT, lambda route: None)
    box(page).fill("hello")
    box(page).press("Enter")
    expect(button(page, "Stop")).to_be_visible()
    page.keyboard.press("Escape")
    expect(button(page, "Send")).to_be_visible()
    expect(replies(page)).to_contain_text("Stopped.")


@pytest.mark.parametrize("width", [320, 360])
def test_a_phone_needs_no_sideways_scroll_and_has_big_buttons(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    say(page, "I want to kill myself tonight " + "x" * 200)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for name in ("Get human help", "Quick exit", "Send"):
        assert button(page, name).bounding_box()["height"] >= 44
    for link in people(page).get_by_role("link").all():
        assert link.bounding_box()["height"] >= 44


def test_night_is_dark(browser: Browser, chat_url: str, tmp_path: Path) -> None:
    page = browser.new_page(color_scheme="dark", viewport=PHONE)
    page.goto(chat_url)
    red, green, blue = re.findall(
        r"\d+", page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    )
    assert max(int(red), int(green), int(blue)) < 60
    page.screenshot(path=tmp_path / "dark.png")
    page.close()


def test_without_scripts_the_helplines_still_open(browser: Browser, chat_url: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-US")
    page = context.new_page()
    page.goto(chat_url)
    button(page, "Get human help").click()
    expect(page.locator("#help a[href='tel:988']")).to_be_visible()
    expect(button(page, "Quick exit").first).to_have_attribute("href", ELSEWHERE)
    context.close()
