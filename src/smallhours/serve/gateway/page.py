"""The chat page, and what makes it installable and readable without a network."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.templating import Jinja2Templates
from starlette.routing import Match

from smallhours import __version__
from smallhours.domain.risk import STALE_DAYS
from smallhours.domain.settings import ServeSettings
from smallhours.safety import replies
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway import people
from smallhours.serve.gateway.interface import LANGUAGES, Interface, fill, interface, wanted

STATIC = Path(__file__).parent / "static"
_OTHER_PAGES = ("operator", "review")  # folders of STATIC that the chat has no use for
MEMORY = "/v1/memory"  # the page offers to remember where the app has this
LANGUAGE_COOKIE, A_YEAR = "smallhours-language", 31_536_000


def static_version() -> str:
    """A hash over every static file. It stands in their address, so that a browser may keep them for good."""
    digest = hashlib.sha256()
    for path in _static_files():
        digest.update(path.as_posix().encode() + (STATIC / path).read_bytes())
    return digest.hexdigest()[:12]


def _static_files() -> list[Path]:
    return sorted(path.relative_to(STATIC) for path in STATIC.rglob("*") if path.is_file())


def build_page_router(
    assistant: Assistant, templates: Jinja2Templates, settings: ServeSettings, model_name: str
) -> APIRouter:
    """The page's routes."""
    router = APIRouter(include_in_schema=False)
    static = f"static/{static_version()}"
    templates.env.globals["fill"] = fill

    @router.get("/", response_class=HTMLResponse)
    def page(request: Request, lang: str = "") -> Response:
        """The chat, in the language that the person chose or the browser asks for."""
        chosen = lang if lang in LANGUAGES else request.cookies.get(LANGUAGE_COOKIE)
        asked = wanted(request.headers.get("accept-language", ""), chosen)
        words = interface(asked.language)
        context = {
            **_wording(words, asked.locale, today=datetime.now(UTC).date()),
            "static": static,
            "settings": settings,
            "memory": _has_memory(request.app),
            "speaks": asked.language in assistant.spoken,
            "model_name": model_name,
            "version": __version__,
        }
        response = templates.TemplateResponse(request, "chat.html", context)
        response.headers["vary"] = "accept-language, cookie"
        if lang in LANGUAGES:
            response.set_cookie(LANGUAGE_COOKIE, lang, max_age=A_YEAR, samesite="lax", httponly=True)
        return response

    @router.get("/sw.js")
    def service_worker(request: Request) -> Response:
        """Keeps the page and the helplines for a night without a network. Never a message or a reply."""
        chat = [
            path for path in _static_files() if path.suffix != ".png" and path.parts[0] not in _OTHER_PAGES
        ]
        kept = [f"{static}/{path.as_posix()}" for path in chat]
        context = {"version": f"{__version__}-{static}", "kept": kept}
        return templates.TemplateResponse(request, "sw.js", context, media_type="text/javascript")

    @router.get("/manifest.webmanifest")
    def manifest() -> Response:
        """What a phone needs to put the page on its home screen."""
        return JSONResponse(_manifest(static), media_type="application/manifest+json")

    return router


def _has_memory(app: FastAPI) -> bool:
    scope = {"type": "http", "method": "GET", "path": MEMORY}
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)


def _wording(words: Interface, locale: str, today: date) -> dict[str, Any]:
    return {
        "_": words.translate,
        "words": words,
        "languages": [interface(code) for code in LANGUAGES],
        "locale": locale,
        "disclaimer": replies.disclaimer(locale),
        "countries": people.countries(words),
        "overdue": bool(people.overdue(today)),
        "last_checked": people.last_checked().isoformat(),
        "stale_days": STALE_DAYS,
    }


def _manifest(static: str) -> dict[str, Any]:
    icons = [
        {
            "src": f"{static}/icons/{size}.png",
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for size in (192, 512)
        for purpose in ("any", "maskable")
    ]
    return {
        "name": "Smallhours",
        "short_name": "Smallhours",
        "id": "./",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#131522",
        "theme_color": "#131522",
        "icons": icons,
    }
