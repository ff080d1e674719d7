"""Draw docs/images from a finished run: the chat in its states, the report, two more pages.

Used by ``make pictures``. Needs runs/default (made by ``make run``) and a Chromium.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from ensure_browser import installed
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright

from smallhours.bootstrap.gateway import api_keys, gateway_parts
from smallhours.bootstrap.serving import bind, build_app, open_assistant
from smallhours.cli.review_page.app import create_page
from smallhours.corpus.review.session import Review
from smallhours.corpus.sources import builtin_pairs
from smallhours.domain.records import Example
from smallhours.domain.settings import ServeSettings, load_settings
from smallhours.domain.sign_offs import Reviewer, Verdict
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.app import create_app

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUESTION = "cant sleep again, my head wont stop going over tomorrow"
CRISIS = "i dont want to be here anymore. i have been thinking about ending my life"


def say(page: Page, text: str, replies: int) -> None:
    """Type, send, and wait until that many replies are complete."""
    page.get_by_role("textbox").fill(text)
    page.keyboard.press("Enter")
    page.wait_for_function(
        "n => document.querySelectorAll('[role=log] article').length >= n"
        " && document.querySelector('[data-stop]').hidden",
        arg=replies,
    )
    page.wait_for_timeout(1000)


def shoot_chat(browser: Browser, url: str) -> None:
    """The conversation by day on a desktop, and by night on a phone: first screen, crisis, settings."""
    desktop = browser.new_page(viewport={"width": 1180, "height": 820}, locale="en-GB")
    desktop.goto(url)
    say(desktop, QUESTION, 2)
    desktop.screenshot(path=IMAGES / "chat.png")
    phone = open_phone(browser, url, "en-GB")
    phone.screenshot(path=IMAGES / "chat-phone-first.png")
    say(phone, CRISIS, 2)
    phone.screenshot(path=IMAGES / "chat-phone-crisis.png")
    phone.get_by_role("button", name="Settings").click()
    phone.screenshot(path=IMAGES / "chat-phone-settings.png")


def shoot_arabic(browser: Browser, url: str) -> None:
    """From right to left: the first screen and the people who can help in Egypt."""
    phone = open_phone(browser, url, "ar-EG")
    phone.screenshot(path=IMAGES / "chat-phone-arabic.png")
    phone.locator("[data-help]").first.click()
    phone.screenshot(path=IMAGES / "chat-phone-arabic-help.png")


def shoot_offline(browser: Browser, url: str) -> None:
    """The network is gone, the page was opened again: it says so, and keeps the message and the helplines."""
    phone = open_phone(browser, url, "en-GB")
    phone.evaluate("navigator.serviceWorker.ready.then(() => 0)")
    phone.wait_for_timeout(1000)
    phone.get_by_role("textbox").fill("are you there")
    phone.context.set_offline(True)
    phone.reload()
    phone.get_by_text("You are offline").wait_for()
    phone.screenshot(path=IMAGES / "chat-phone-offline.png")


def open_phone(browser: Browser, url: str, locale: str) -> Page:
    """The page on a phone at night."""
    size = {"width": 390, "height": 844}
    phone = browser.new_page(viewport=size, device_scale_factor=2, locale=locale, color_scheme="dark")
    phone.goto(url)
    phone.wait_for_function("() => !document.querySelector('[data-until-ready]')")
    return phone


def shoot_report(browser: Browser, report: Path) -> None:
    """The first screenful of the report."""
    page = browser.new_page(viewport={"width": 1180, "height": 1000})
    page.goto(report.resolve().as_uri())
    page.screenshot(path=IMAGES / "report.png")


def logged_in_phone(browser: Browser, url: str, key: str) -> Page:
    """A phone at night, on the operator's page behind its login."""
    size = {"width": 390, "height": 844}
    phone = browser.new_page(viewport=size, device_scale_factor=2, color_scheme="dark")
    phone.goto(f"{url}/operator")
    phone.get_by_role("textbox").fill(key)
    phone.keyboard.press("Enter")
    return phone


def reject_the_first(pairs: Sequence[Example], file: Path) -> None:
    """What another reviewer thought of the first pair."""
    first = Review(pairs, file, Reviewer(name="First reviewer", credential="GP"))
    first.sign(0, Verdict.REJECT, "too brisk for two in the morning")


def shoot_operator(browser: Browser, assistant: Assistant) -> None:
    """The operator's page on a phone, after a few messages and one report, over a memory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(None, {}, {"runs": folder})
        key, _ = api_keys(settings).add("Operator", ("operator",), 1)
        app = create_app(assistant, ServeSettings(), "smallhours-default", gateway_parts(settings))
        with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
            begun = client.post("/v1/conversations", json={"consent": True}).json()
            path, token = f"/v1/conversations/{begun['id']}", {"smallhours-token": begun["token"]}
            for text in (QUESTION, "i tried that, it did not help", CRISIS):
                client.post(f"{path}/messages", json={"content": text}, headers=token).raise_for_status()
            client.post(f"{path}/report", json={"fault": "wrong"}, headers=token).raise_for_status()
            phone = logged_in_phone(browser, url, key)
            phone.get_by_role("heading", name="Overview").wait_for()
            phone.set_viewport_size({"width": 390, "height": 1440})
            phone.screenshot(path=IMAGES / "operator.png")


def shoot_review(browser: Browser) -> None:
    """One pair on the review page, just after a verdict on which another reviewer thinks otherwise."""
    pairs = builtin_pairs("98")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "signoffs.jsonl"
        reject_the_first(pairs, file)
        second = Review(pairs, file, Reviewer(name="Second reviewer", credential="clinical psychologist"))
        with serving(create_page(second, "review")) as url:
            page = browser.new_page(viewport={"width": 1180, "height": 820})
            page.goto(f"{url}/review/")
            page.get_by_role("button", name="Approve").click()
            page.get_by_role("checkbox").wait_for()
            page.screenshot(path=IMAGES / "review.png")


def shoot_operator_review(browser: Browser, assistant: Assistant) -> None:
    """A reviewer on a phone, inside the operator's page, after a verdict that another differs from."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "signoffs.jsonl"
        reject_the_first(builtin_pairs("98"), file)
        settings = load_settings(
            None,
            {},
            {"runs": folder, "gateway.review_pairs": "builtin:98", "gateway.review_sign_offs": str(file)},
        )
        key, _ = api_keys(settings).add("Second reviewer", ("reviewer",), 1, "clinical psychologist")
        app = create_app(assistant, ServeSettings(), "smallhours-default", gateway_parts(settings))
        with serving(app) as url:
            phone = logged_in_phone(browser, url, key)
            phone.get_by_role("button", name="Approve").click()
            phone.get_by_role("status").wait_for()
            phone.set_viewport_size({"width": 390, "height": 1060})
            phone.screenshot(path=IMAGES / "operator_review.png")


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of ``app`` on a free port of this machine, while the block lasts."""
    bound = bind(ServeSettings(port=0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


def main() -> int:
    """Serve the run, look at it, leave."""
    settings = load_settings()
    IMAGES.mkdir(parents=True, exist_ok=True)
    assistant = open_assistant(settings)
    app = build_app(settings, assistant)
    with serving(app) as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=installed(), args=FLAGS)
        shoot_chat(browser, url)
        shoot_arabic(browser, url)
        shoot_offline(browser, url)
        shoot_report(browser, settings.run_folder / "evaluation" / "report.html")
        shoot_review(browser)
        shoot_operator(browser, assistant)
        shoot_operator_review(browser, assistant)
        browser.close()
    print(f"pictures: {IMAGES}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
