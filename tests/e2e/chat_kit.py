"""What the tests of the chat page share: a stand-in for the server, and how a person finds things."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Locator, Page, Route, expect

CHAT = "**/v1/chat/completions"
ELSEWHERE = "https://www.wikipedia.org/"
PHONE = {"width": 360, "height": 740}
SENTENCES = ["That sounds tiring. ", "You are not alone with it.\n\n", "What would help tonight?"]
RESOURCE = {"name": "Night Line", "for": "anyone", "tel": "0800 123", "sms": "85258",
            "sms_text": "HELLO THERE", "url": "https://example.org/", "hours": "24/7"}  # fmt: skip
ABOUT = {"level": "none", "action": "answer", "resources": [], "disclaimer": "An AI.", "source": "generated"}


class StandIn:
    """Answers in the server's place: ``about``, then the sentences, waiting for ``go`` before the last."""

    def __init__(self) -> None:
        self.about: dict[str, object] = dict(ABOUT)
        self.go = threading.Event()
        self.go.set()
        self.asked: list[dict[str, object]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def take_over(self, page: Page) -> None:
        def redirect(route: Route) -> None:
            self.asked.append(json.loads(route.request.post_data or "{}"))
            route.continue_(url=self.url)

        page.route(CHAT, redirect)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.wfile.write(b": keep-alive\n\n")
                self._chunk("", smallhours=stand_in.about)
                for sentence in SENTENCES[:-1]:
                    self._chunk(sentence)
                stand_in.go.wait(10)
                self._chunk(SENTENCES[-1])
                self.wfile.write(b"data: [DONE]\n\n")

            def _chunk(self, content: str, **more: object) -> None:
                chunk = {
                    "choices": [{"index": 0, "delta": {"content": content}, "finish_reason": None}],
                    **more,
                }
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self.wfile.flush()

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True  # the page pressed Stop

            def log_message(self, *args: object) -> None:
                pass

        return Handler


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Your message")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def replies(page: Page) -> Locator:
    return (
        page.get_by_role("log")
        .get_by_role("article")
        .filter(has=page.get_by_role("heading", name="Smallhours"))
    )


def people(page: Page) -> Locator:
    return page.get_by_role("group", name="People you can reach now")


def say(page: Page, text: str) -> Locator:
    """Sends a message and waits for the end of the reply."""
    box(page).fill(text)
    box(page).press("Enter")
    expect(button(page, "Send")).to_be_visible(timeout=20_000)
    return replies(page).last
