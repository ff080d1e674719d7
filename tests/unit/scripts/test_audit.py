"""The audit of locked packages: what it says of a report, and that it costs nothing where nobody answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from scripts import audit

SOUND = {"name": "click", "version": "8.5.1", "vulns": []}
BAD = {
    "name": "pip",
    "version": "23.0",
    "vulns": [
        {"id": "PYSEC-1", "fix_versions": ["23.3"], "aliases": [], "description": ""},
        {"id": "PYSEC-2", "fix_versions": [], "aliases": [], "description": ""},
    ],
}
UNKNOWN = {"name": "torch", "skip_reason": "Dependency not found on PyPI"}


@contextmanager
def source(body: bytes, status: int = 200) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("body", "status", "has"),
    [
        (b'{"vulnerabilities": [{"id": "PYSEC-1"}]}', 200, True),
        (b'{"vulnerabilities": []}', 200, False),
        (b"[]", 200, False),
        (b"<html>", 200, False),
        (b"", 404, False),
    ],
)
def test_a_source_is_one_that_knows_of_vulnerabilities(body: bytes, status: int, has: bool) -> None:
    with source(body, status) as address:
        assert audit.has_advisories(address, 5.0) is has


def test_a_source_that_is_silent_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert not audit.has_advisories(f"http://127.0.0.1:{silent.getsockname()[1]}/", 0.2)
        assert time.monotonic() - began < 2


def test_each_vulnerability_is_a_line_and_what_the_source_does_not_know_is_not_counted() -> None:
    known, lines = audit.findings({"dependencies": [SOUND, BAD, BAD, UNKNOWN]})
    assert known == 3
    assert lines == ["pip 23.0: PYSEC-1, fixed in 23.3", "pip 23.0: PYSEC-2, no release fixes it yet"]


@pytest.mark.parametrize(
    ("report", "usual", "strict", "said"),
    [
        (None, 0, 1, "skipped"),
        ({"dependencies": [UNKNOWN]}, 0, 1, "skipped"),
        ({"dependencies": [SOUND]}, 0, 0, "1 packages, 0 known"),
        ({"dependencies": [BAD]}, 0, 1, "PYSEC-1"),
    ],
)
def test_only_who_releases_is_stopped(
    report: dict[str, object] | None,
    usual: int,
    strict: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(audit, "has_advisories", lambda address, seconds: True)
    monkeypatch.setattr(audit, "audited", lambda: report)
    assert (audit.main([]), audit.main(["--strict"])) == (usual, strict)
    assert said in capsys.readouterr().out
