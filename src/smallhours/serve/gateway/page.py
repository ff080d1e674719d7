"""The chat page."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.templating import Jinja2Templates

from smallhours import __version__
from smallhours.domain.settings import ServeSettings
from smallhours.safety import replies
from smallhours.safety.helplines import tables
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.schemas import resource_fields


def build_page_router(
    assistant: Assistant, templates: Jinja2Templates, settings: ServeSettings, model_name: str
) -> APIRouter:
    """The page at ``/``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/", response_class=HTMLResponse)
    def page(request: Request) -> Response:
        """The chat."""
        locale = _locale_of(request)
        context = {
            "disclaimer": replies.disclaimer(locale),
            "locale": locale,
            "countries": country_table(),
            "model_name": model_name,
            "version": __version__,
        }
        return templates.TemplateResponse(request, "chat.html", context)

    return router


def country_table() -> list[dict[str, Any]]:
    """Every country's services for the page, by name, the international entry last."""
    entries = [
        {
            "code": code,
            "name": country.name,
            "emergency": country.emergency,
            "resources": [resource_fields(r) for r in country.resources],
        }
        for code, country in tables().items()
    ]
    return sorted(entries, key=lambda entry: (entry["code"] == "ZZ", entry["name"]))


def _locale_of(request: Request) -> str:
    """The first language the browser asks for, if it is well formed."""
    wanted = request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip()
    return wanted if wanted and wanted.replace("-", "").isalnum() and len(wanted) <= 12 else "en"
