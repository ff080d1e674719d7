"""Every state of the page against axe-core (from the package axe-playwright-python), and its promises:
size, speed, languages, reading aloud, offline nights, settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

from smallhours.domain.settings import ServeSettings
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.app import create_app
from smallhours.serve.gateway.interface import LANGUAGES, interface
from tests.e2e.axe_kit import faults
from tests.e2e.chat_kit import CHAT, PHONE, RESOURCE, SENTENCES, StandIn, box, button, replies, say
from tests.e2e.serving import serving

# Lighthouse's "slow 4G": 1.6 Mbit/s down, 750 kbit/s up, 150 ms.
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
FIRST_LOAD_BYTES, WRITABLE_WITHIN_MS = 100_000, 1000


def worker_ready(page: Page) -> None:
    """Waits until the service worker has everything, and the page its later parts."""
    page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
    page.wait_for_function("() => navigator.serviceWorker.ready.then(it => it.active.state === 'activated')")


def first_screen(page: Page) -> None:
    expect(button(page, "I can’t sleep")).to_be_visible()


def an_answer(page: Page) -> None:
    say(page, "I can't sleep")
    expect(button(page, "Helpful")).to_be_visible()


def an_answer_reported(page: Page) -> None:
    an_answer(page)
    button(page, "Report").click()


def an_answer_that_hurt(page: Page) -> None:
    an_answer(page)
    button(page, "Made me feel worse").click()
    expect(page.get_by_role("log")).to_contain_text("thank you for telling me")


def a_crisis(page: Page) -> None:
    say(page, "I want to kill myself tonight")
    button(page, "I’m with someone now").click()


def an_emergency(page: Page) -> None:
    say(page, "I just took all of my pills")


def no_answer(page: Page) -> None:
    page.route(CHAT, lambda route: route.abort())
    say(page, "are you there")


def offline(page: Page) -> None:
    worker_ready(page)
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline")).to_be_visible()


def help_panel(page: Page) -> None:
    button(page, "Get human help").click()


def settings_panel(page: Page) -> None:
    button(page, "Settings").click()


STATES = [first_screen, an_answer, an_answer_reported, an_answer_that_hurt, a_crisis, an_emergency, no_answer,
          offline, help_panel, settings_panel]  # fmt: skip


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing(page: Page, state: Callable[[Page], None]) -> None:
    state(page)
    assert faults(page) == []


def test_axe_finds_nothing_on_a_desktop_and_in_arabic(browser: Browser, chat_url: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="ar-EG")
    page = context.new_page()
    page.goto(chat_url)
    page.locator("#message").fill("أريد أن أموت")
    page.locator("#message").press("Enter")
    expect(page.locator(".people a[href='tel:08008880700']")).to_be_visible()
    assert faults(page) == []
    context.close()


@pytest.fixture(scope="module")
def adults_only(assistant: Assistant) -> Iterator[str]:
    with serving(create_app(assistant, ServeSettings(age_confirmation=True), "smallhours-test")) as url:
        yield url


def test_where_age_is_asked_help_comes_without_it_and_the_young_are_shown_their_lines(
    browser: Browser, adults_only: str
) -> None:
    page = browser.new_page(locale="en-GB", viewport=PHONE)
    page.goto(adults_only)
    expect(button(page, "I’m 18 or older")).to_be_visible()
    expect(page.locator("#composer")).to_have_attribute("inert", "")
    assert faults(page) == []
    button(page, "Get human help").click()
    expect(page.get_by_role("dialog").get_by_role("link", name="Call 999")).to_be_visible()
    button(page, "Back to chat").click()
    button(page, "I’m under 18").click()
    expect(page.get_by_role("group", name="Your age")).to_contain_text("Childline")
    page.reload()
    button(page, "I’m 18 or older").click()
    expect(box(page)).to_be_focused()
    page.reload()
    expect(page.locator("#composer")).not_to_have_attribute("inert", "")
    page.close()


def test_the_first_load_is_small_and_comes_from_one_place(browser: Browser, chat_url: str) -> None:
    context = browser.new_context(viewport=PHONE, locale="en-US")
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    bytes_of: list[float] = []
    faults_seen: list[str] = []
    urls: list[str] = []
    wire.on("Network.loadingFinished", lambda event: bytes_of.append(event["encodedDataLength"]))
    page.on("request", lambda request: urls.append(request.url))
    page.on("console", lambda message: faults_seen.append(message.text))
    page.on("pageerror", lambda error: faults_seen.append(str(error)))
    with page.expect_response("**/readyz"):  # the last thing that the page asks for by itself
        page.goto(chat_url)
    page.wait_for_timeout(200)
    assert sum(bytes_of) <= FIRST_LOAD_BYTES, f"{sum(bytes_of)} bytes over {len(bytes_of)} requests"
    say(page, "I can't sleep")
    assert [url for url in urls if not url.startswith(chat_url)] == []
    assert faults_seen == []
    context.close()


def test_one_can_write_within_a_second_on_a_slow_line(browser: Browser, chat_url: str) -> None:
    """The best of three: the line is slow on purpose, a busy test machine is not what is measured."""
    times = []
    for _ in range(3):
        context = browser.new_context(viewport=PHONE, locale="en-US")
        page = context.new_page()
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.send("Network.emulateNetworkConditions", SLOW)
        page.goto(chat_url, wait_until="commit")
        page.wait_for_function("() => performance.getEntriesByName('can-write').length > 0")
        times.append(page.evaluate("performance.getEntriesByName('can-write')[0].startTime"))
        context.close()
        if min(times) <= WRITABLE_WITHIN_MS:
            break
    assert min(times) <= WRITABLE_WITHIN_MS, times


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_speaks_the_persons_language_without_sideways_scroll(
    browser: Browser, chat_url: str, code: str
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 740}, locale=code)
    page = context.new_page()
    page.goto(chat_url)
    words = interface(code).translate
    expect(button(page, words("Get human help"))).to_be_visible()
    expect(page.locator("#composer")).not_to_have_attribute("inert", "")
    page.get_by_role("group", name=words("Ways to begin")).get_by_role("button").first.click()
    expect(page.locator(".words").first).not_to_be_empty()
    expect(button(page, words("Helpful"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    context.close()


def test_another_language_is_one_press_away_and_stays(page: Page) -> None:
    page.get_by_role("main").get_by_role("link", name="Français").click()
    expect(button(page, "Aide humaine")).to_be_visible()
    page.goto(page.url.split("?")[0])
    expect(button(page, "Aide humaine")).to_be_visible()


LISTEN = """() => {
  window.heard = [];
  new MutationObserver(changes => changes.forEach(change => change.addedNodes.forEach(node => {
    const live = node.parentElement?.closest('[aria-live], [role=status], [role=alert], [role=log]');
    const quiet = !live || live.getAttribute('aria-live') === 'off';
    if (!quiet && node.textContent.trim()) window.heard.push(node.textContent.trim());
  }))).observe(document.body, {childList: true, subtree: true});
}"""


def test_a_screen_reader_hears_each_sentence_once_and_no_button(page: Page, stand_in: StandIn) -> None:
    stand_in.about |= {"level": "high", "action": "crisis_reply", "resources": [RESOURCE], "source": "crisis"}
    stand_in.take_over(page)
    page.evaluate(LISTEN)
    say(page, "hello")
    expect(button(page, "Helpful")).to_be_visible()
    heard = page.evaluate("window.heard")
    assert heard == [
        "Smallhours is writing.",
        "People you can reach now are listed with this reply.",
        *[sentence.strip() for sentence in SENTENCES],
    ]


def test_offline_the_page_says_so_keeps_the_message_and_still_has_the_helplines(page: Page) -> None:
    page.wait_for_function(
        "navigator.serviceWorker.ready.then(worker => worker.active.state === 'activated')"
    )
    box(page).fill("are you there")
    page.context.set_offline(True)
    box(page).press("Enter")
    expect(page.get_by_text("You are offline, so I can’t answer.")).to_be_visible()
    expect(replies(page)).to_have_count(0)
    page.reload()
    expect(box(page)).to_have_value("are you there")
    expect(page.get_by_text("You are offline, so I can’t answer.")).to_be_visible()
    button(page, "Get human help").click()
    expect(page.get_by_role("dialog").locator("a[href='tel:988']").first).to_be_visible()
    button(page, "Back to chat").click()
    page.context.set_offline(False)
    expect(page.get_by_text("You are offline")).to_have_count(0)
    say(page, "are you there")
    expect(replies(page)).to_have_count(1)


def test_nothing_that_was_said_lies_in_a_cache(page: Page) -> None:
    page.wait_for_function(
        "navigator.serviceWorker.ready.then(worker => worker.active.state === 'activated')"
    )
    page.reload()  # the worker answers from here on
    say(page, "a secret of mine")
    kept = page.evaluate("""async () => {
      const paths = [];
      for (const name of await caches.keys())
        paths.push(...(await (await caches.open(name)).keys()).map(request => new URL(request.url).pathname));
      return paths;
    }""")
    assert kept and all(
        path == "/" or path.startswith("/static/") or path.endswith(".webmanifest") for path in kept
    )
    assert "secret" not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")


def test_a_model_that_is_down_is_said_at_once_and_unsaid_when_it_is_back(
    browser: Browser, chat_url: str
) -> None:
    page = browser.new_page(locale="en-US", viewport=PHONE)
    page.clock.install()
    page.route("**/readyz", lambda route: route.fulfill(status=503, json={}))
    page.goto(chat_url)
    expect(page.get_by_text("I can’t write new answers right now.")).to_be_visible()
    page.unroute("**/readyz")
    page.clock.run_for(31_000)
    expect(page.get_by_text("I can’t write new answers right now.")).to_have_count(0)
    page.close()


def test_after_three_hours_it_says_again_that_it_is_an_ai(browser: Browser, chat_url: str) -> None:
    page = browser.new_page(locale="en-US", viewport=PHONE)
    page.clock.install()
    page.goto(chat_url)
    reminder = page.get_by_role("note").filter(has_text="I’m still an AI")
    expect(button(page, "I can’t sleep")).to_be_visible()
    page.wait_for_function("() => sessionStorage.getItem('smallhours-since')")
    page.clock.fast_forward("02:58:00")
    expect(reminder).to_have_count(0)
    page.reload()  # a reload does not start the night anew
    page.wait_for_function("() => !document.querySelector('[data-until-ready]')")
    page.clock.fast_forward("00:03:00")
    expect(reminder).to_have_count(1)
    page.clock.fast_forward("03:01:00")
    expect(reminder).to_have_count(2)
    page.close()


def test_whoever_asks_is_told_that_it_is_an_ai(page: Page) -> None:
    expect(say(page, "are you a real person?")).to_contain_text("I’m an AI: a computer program")


def test_a_rating_and_a_report_send_one_word_and_nothing_that_was_said(page: Page) -> None:
    sent: list[object] = []
    page.on("request", lambda one: sent.append(one.post_data_json) if "feedback" in one.url else None)
    an_answer(page)
    button(page, "Helpful").click()
    expect(button(page, "Helpful")).to_have_attribute("aria-pressed", "true")
    button(page, "Report").click()
    button(page, "It could be dangerous").click()
    expect(page.get_by_role("log")).to_contain_text("Only this choice was sent")
    assert sent == [
        {"source": "vetted", "verdict": "helpful"},
        {"source": "vetted", "verdict": "dangerous"},
    ]


def test_a_reply_that_made_it_worse_leads_to_people(page: Page) -> None:
    an_answer_that_hurt(page)
    expect(replies(page).last.locator("a[href='tel:988']")).to_be_visible()


def test_only_the_newest_reply_has_its_buttons_and_it_can_be_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    an_answer(page)
    an_answer(page)
    expect(button(page, "Copy")).to_have_count(1)
    button(page, "Copy").click()
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_have_count(1)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == "".join(replies(page).last.locator(".sentence").all_text_contents()).strip()


def test_after_a_stop_the_answer_can_be_had_after_all(page: Page, stand_in: StandIn) -> None:
    stand_in.go.clear()
    stand_in.take_over(page)
    box(page).fill("hello")
    box(page).press("Enter")
    expect(replies(page)).to_contain_text(SENTENCES[0].strip())
    page.keyboard.press("Escape")
    stand_in.go.set()
    button(page, "Try again").click()
    expect(replies(page)).to_have_count(1)
    expect(replies(page)).to_contain_text(SENTENCES[-1])
    assert stand_in.asked[1]["messages"] == [{"role": "user", "content": "hello"}]


def test_settings_hold_for_the_next_visit(page: Page) -> None:
    button(page, "Settings").click()
    dialog = page.get_by_role("dialog", name="Settings")
    for choice in ("Night", "Larger", "No movement"):
        dialog.get_by_role("radio", name=choice, exact=True).check(force=True)
    page.reload()
    look = page.evaluate("({...document.documentElement.dataset})")
    assert (look["theme"], look["text"], look["motion"]) == ("night", "larger", "still")
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == "rgb(19, 21, 34)"
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "24px"
    button(page, "Settings").click()
    expect(dialog.get_by_role("radio", name="Night", exact=True)).to_be_checked()


def test_less_movement_stops_every_animation(browser: Browser, chat_url: str) -> None:
    page = browser.new_page(locale="en-US", viewport=PHONE, reduced_motion="reduce")
    page.goto(chat_url)
    page.route(CHAT, lambda route: None)
    box(page).fill("hello")
    box(page).press("Enter")
    expect(page.locator(".typing")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
    page.close()


WIDER = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth)
    .map(one => one.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize("text", ["", "largest"])
def test_at_400_percent_everything_is_there_in_one_column(page: Page, text: str) -> None:
    """A 1280 by 1024 window at 400 % is 320 by 256; the largest text doubles what is in it."""
    page.set_viewport_size({"width": 320, "height": 256})
    page.evaluate("text => { document.documentElement.dataset.text = text; }", text)
    say(page, "I want to kill myself tonight")
    assert page.evaluate(WIDER) == []
    assert page.evaluate("getComputedStyle(document.querySelector('.foot')).position") == "static"
    button(page, "Get human help").click()
    call = page.get_by_role("dialog").get_by_role("link", name="Call 911")
    call.scroll_into_view_if_needed()
    width = call.bounding_box()["width"]  # type: ignore[index]
    assert 44 <= width <= 320


def test_the_chosen_country_is_remembered_on_the_device(page: Page) -> None:
    button(page, "Get human help").click()
    page.get_by_label("Where are you?").select_option("DE")
    page.reload()
    button(page, "Get human help").click()
    expect(page.get_by_label("Where are you?")).to_have_value("DE")


def test_a_page_from_an_old_cache_says_that_its_numbers_are_old(browser: Browser, chat_url: str) -> None:
    page = browser.new_page(locale="en-US", viewport=PHONE)
    page.clock.set_fixed_time("2028-01-01")
    page.goto(chat_url)
    line = page.get_by_role("contentinfo").get_by_text("more than 180 days ago, and may have changed.")
    expect(line).to_be_visible()
    page.close()


def test_help_is_on_screen_within_a_moment_of_asking(page: Page) -> None:
    """One press, no request: the helplines came with the page."""
    page.route("**/*", lambda route: route.abort())
    began = time.monotonic()
    button(page, "Get human help").click()
    expect(page.get_by_role("dialog").locator("a[href^='tel:']").first).to_be_visible()
    assert time.monotonic() - began < 2
