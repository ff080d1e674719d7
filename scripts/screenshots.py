"""Draw docs/images from a finished run: the chat (desktop, phone, crisis) and the report.

Used by ``make docs``. Needs runs/default (made by ``make run``) and a Chromium.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import uvicorn
from ensure_browser import installed
from playwright.sync_api import Browser, Page, sync_playwright

from smallhours import bootstrap
from smallhours.domain.settings import load_settings

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUESTION = "cant sleep again, my head wont stop going over tomorrow"
CRISIS = "i dont want to be here anymore. i have been thinking about ending my life"


def say(page: Page, text: str, replies: int) -> None:
    """Type, send, and wait until that many replies are complete."""
    page.get_by_role("textbox").fill(text)
    page.keyboard.press("Enter")
    page.wait_for_function(
        "n => document.querySelectorAll('[role=log] article, [role=log] li').length >= n", arg=replies
    )
    page.wait_for_timeout(4000)


def shoot_chat(browser: Browser, url: str) -> None:
    """The conversation on a desktop and, at night, on a phone with the crisis panel."""
    desktop = browser.new_page(viewport={"width": 1180, "height": 820}, locale="en-GB")
    desktop.goto(url)
    say(desktop, QUESTION, 2)
    desktop.screenshot(path=IMAGES / "chat.png")
    phone = browser.new_page(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, locale="en-GB", color_scheme="dark"
    )
    phone.goto(url)
    phone.screenshot(path=IMAGES / "chat-phone-first.png")
    say(phone, CRISIS, 2)
    phone.screenshot(path=IMAGES / "chat-phone-crisis.png")


def shoot_report(browser: Browser, report: Path) -> None:
    """The first screenful of the report."""
    page = browser.new_page(viewport={"width": 1180, "height": 1000})
    page.goto(report.resolve().as_uri())
    page.screenshot(path=IMAGES / "report.png")


def main() -> int:
    """Serve the run, look at it, leave."""
    settings = load_settings()
    IMAGES.mkdir(parents=True, exist_ok=True)
    app = bootstrap.build_app(settings, bootstrap.open_assistant(settings))
    bound = bootstrap.bind(settings.serve.model_copy(update={"port": 0}))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=installed(), args=FLAGS)
        shoot_chat(browser, f"http://127.0.0.1:{bound.getsockname()[1]}")
        shoot_report(browser, settings.run_folder / "evaluation" / "report.html")
        browser.close()
    server.should_exit = True
    print(f"pictures: {IMAGES}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
