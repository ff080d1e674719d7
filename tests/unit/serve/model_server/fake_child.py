"""A child as the supervisor expects it, without a model: ``python fake_child.py MOOD FILE``.

MOOD is what goes wrong. FILE gets a line for each life, when it began: a mood can be of the first life alone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MOOD, LIVES = sys.argv[1], Path(sys.argv[2])


class Handler(BaseHTTPRequestHandler):
    """Health as llama.cpp tells it; under the mood ``stuck``, the loop behind it does not turn."""

    def do_GET(self) -> None:
        if MOOD == "stuck" and self.path == "/metrics" and lives == 1:
            time.sleep(30)
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        time.sleep(30)

    def log_message(self, *args: object) -> None:
        pass


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


with LIVES.open("a+", encoding="ascii") as book:
    book.write(f"{time.time()}\n")
lives = len(LIVES.read_text().split())
json.loads(sys.stdin.readline())
if MOOD == "refuses":
    say("failed weights.gguf: not a model")
    sys.exit(1)
if MOOD == "dies at once" or (MOOD == "dies twice" and lives < 3):
    os.kill(os.getpid(), signal.SIGSEGV)
if MOOD == "never ready":
    time.sleep(60)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
say(f"ready http://127.0.0.1:{server.server_address[1]}")
if MOOD == "will not go":
    time.sleep(60)
sys.stdin.read()
