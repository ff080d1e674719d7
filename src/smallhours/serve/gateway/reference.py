"""The OpenAPI page: every call, from the app's own description, without scripts from anywhere else."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.templating import Jinja2Templates


def build_reference_router(templates: Jinja2Templates) -> APIRouter:
    """The page at ``/docs``; the description itself is at ``/openapi.json``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs", response_class=HTMLResponse)
    def reference(request: Request) -> Response:
        """Every call and its fields."""
        described = request.app.openapi()
        context = {"title": described["info"]["title"], "calls": calls(described)}
        return templates.TemplateResponse(request, "reference.html", context)

    return router


def calls(described: dict[str, Any]) -> list[dict[str, Any]]:
    """Method, path, purpose and fields of each call in an OpenAPI description."""
    models = described.get("components", {}).get("schemas", {})
    return [
        {
            "method": method.upper(),
            "path": path,
            "purpose": call.get("description", ""),
            "headers": [p["name"] for p in call.get("parameters", []) if p["in"] == "header"],
            "fields": _fields(call, models),
        }
        for path, methods in described["paths"].items()
        for method, call in methods.items()
    ]


def _fields(call: dict[str, Any], models: dict[str, Any]) -> list[dict[str, Any]]:
    body = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    model = models.get(str(body.get("$ref", "")).rpartition("/")[2], {})
    needed = model.get("required", [])
    return [
        {"name": name, "needed": name in needed, "default": field.get("default")}
        for name, field in model.get("properties", {}).items()
    ]
