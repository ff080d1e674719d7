"""Who may talk to the page: this machine's browser, with the whole address, from the page itself."""

from __future__ import annotations

import secrets

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_OWN_NAMES = ("127.0.0.1", "localhost")
# Browsers say where a request comes from; ``none`` is an address typed or opened from elsewhere.
_OWN_SITES = {"GET": ("same-origin", "none"), "POST": ("same-origin",)}


class Guard:
    """Answers 404 without the token, and 403 to another host name or to a request that another site sent.

    The token stands in the path, so there is no cookie that another page could make a browser send.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = {key: value.decode("latin-1") for key, value in scope["headers"]}
        if headers.get(b"host", "").partition(":")[0] not in _OWN_NAMES:
            return PlainTextResponse("open the page at 127.0.0.1", 403)
        given = scope["path"].split("/")[1].encode() if "/" in scope["path"] else b""
        if not secrets.compare_digest(given, self._token):
            return PlainTextResponse("not found; open the whole address that the terminal shows", 404)
        if scope["method"] not in _OWN_SITES:
            return PlainTextResponse("not allowed", 405)
        site = headers.get(b"sec-fetch-site", "same-origin")
        return None if site in _OWN_SITES[scope["method"]] else PlainTextResponse("asked from elsewhere", 403)
