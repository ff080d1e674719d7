"""One request to an HTTP server, whose answer can be called off at any moment.

It stands on the standard library's client because a thread that waits for a byte is woken by shutting the
socket under it, and by nothing else; and because each phase of an answer has a limit of its own.
"""

from __future__ import annotations

import codecs
import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.errors import EngineCancelledError, EngineError

_LARGEST = 1 << 20  # bytes of an answer that is read whole, and characters of a line

Trouble = Literal["no connection", "silent", "hung up", "too much"]


@dataclass(frozen=True)
class Patience:
    """Seconds to connect, to the first token, between two of them, and for the whole answer."""

    connect: float = 5.0
    first: float = 120.0
    idle: float = 120.0
    total: float = 600.0


class WireError(Exception):
    """What went wrong, in words that repeat nothing that was sent or received."""

    def __init__(self, trouble: Trouble, what: str) -> None:
        self.trouble = trouble
        super().__init__(what)


class Exchange:
    """An answer whose status has come. ``is_events``: it comes as server-sent events."""

    def __init__(self, response: http.client.HTTPResponse, line: socket.socket, clock: _Clock) -> None:
        self.status = response.status
        self.is_events = response.headers.get_content_type() == "text/event-stream"
        self._response, self._line, self._clock = response, line, clock

    def text(self) -> str:
        """The whole body."""
        body = b""
        for chunk in self._chunks():
            body += chunk
            if len(body) > _LARGEST:
                raise WireError("too much", f"its answer is larger than {_LARGEST} bytes")
        return body.decode("utf-8", "replace")

    def lines(self) -> Iterator[str]:
        """Lines that end in a line feed: marks such as U+2028, which JSON may hold, end none."""
        decoder, rest = codecs.getincrementaldecoder("utf-8")("replace"), ""
        for chunk in self._chunks():
            *whole, rest = (rest + decoder.decode(chunk)).split("\n")
            yield from whole
            if len(rest) > _LARGEST:
                raise WireError("too much", f"it sent a line of more than {_LARGEST} characters")
        yield rest + decoder.decode(b"", final=True)

    def progressed(self) -> None:
        """A token has come: from here on the limit between two of them holds."""
        self._clock.progressed()

    def _chunks(self) -> Iterator[bytes]:
        while True:
            self._line.settimeout(self._clock.left())
            if not (chunk := self._response.read1(1 << 16)):
                return
            yield chunk


@contextmanager
def ask(
    method: str,
    url: str,
    patience: Patience,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    cancel: Cancellation | None = None,
) -> Iterator[Exchange]:
    """Send a request; the block reads the answer. Leaving it closes the connection, and so does ``cancel``.

    Raises:
        WireError: there is no connection, it breaks off, or a limit is passed; in the block, too.
        EngineCancelledError: ``cancel`` was called.
    """
    parts, clock, cancel = urlsplit(url), _Clock(patience), cancel or Cancellation()
    try:
        with closing(_connected(parts, patience.connect)) as connection:
            line: socket.socket = connection.sock
            with cancel.stops(lambda: _shut(line)):
                line.settimeout(clock.left())
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                sent = {"Content-Type": "application/json", "Connection": "close", **(headers or {})}
                connection.request(method, path or "/", body, sent)
                with closing(connection.getresponse()) as response:
                    yield Exchange(response, line, clock)
    except (OSError, http.client.HTTPException, WireError, EngineError) as error:
        if cancel.cancelled:
            raise EngineCancelledError("nobody waits for this answer any more") from None
        raise (error if isinstance(error, EngineError) else _explained(error, clock)) from None
    if cancel.cancelled:
        raise EngineCancelledError("nobody waits for this answer any more")


def _connected(parts: SplitResult, seconds: float) -> http.client.HTTPConnection:
    """An open connection; to a server elsewhere through the proxy of the environment, where it names one."""
    host, port, secure = parts.hostname or "", parts.port, parts.scheme == "https"
    proxy = urlsplit(getproxies().get("https", "")) if secure and not proxy_bypass(host) else urlsplit("")
    at = (proxy.hostname, proxy.port) if proxy.hostname else (host, port)
    if secure:
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            *at, timeout=seconds, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(*at, timeout=seconds)
    if proxy.hostname:
        connection.set_tunnel(host, port)
    try:
        connection.connect()
    except (OSError, http.client.HTTPException):
        raise WireError("no connection", "no connection; is it running, and is the URL right?") from None
    return connection


def _shut(line: socket.socket) -> None:
    with suppress(OSError):
        # The plain method: a TLS socket's own also drops what the waiting thread still holds.
        socket.socket.shutdown(line, socket.SHUT_RDWR)


def _explained(error: Exception, clock: _Clock) -> WireError:
    """The kind of the error in plain words: the library's own may quote a header, and a key with it."""
    if isinstance(error, WireError):
        return error
    if isinstance(error, TimeoutError):
        return clock.silence()
    return WireError("hung up", f"it hung up ({type(error).__name__})")


class _Clock:
    """How long may still be waited for the next byte."""

    def __init__(self, patience: Patience) -> None:
        now = time.monotonic()
        self._patience, self._limit = patience, patience.first
        self._next, self._end = now + patience.first, now + patience.total

    def progressed(self) -> None:
        self._limit = self._patience.idle
        self._next = time.monotonic() + self._limit

    def left(self) -> float:
        left = min(self._next, self._end) - time.monotonic()
        if left <= 0:
            raise self.silence()
        return left

    def silence(self) -> WireError:
        if self._end < self._next:
            return WireError("silent", f"not done after {self._patience.total:g} s")
        return WireError("silent", f"silent for {self._limit:g} s")
