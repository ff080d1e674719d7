"""The pages of a review for one reviewer on this machine, with a guard before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException as AnyHTTPException

from smallhours.cli.review_page.guard import Guard
from smallhours.corpus.review.session import Review
from smallhours.serve.gateway import app as gateway
from smallhours.serve.gateway.forms import fields
from smallhours.serve.gateway.guards import BodyLimit, SecurityHeaders
from smallhours.serve.gateway.review.pages import NO_SUCH_PAGE, START, Page
from smallhours.serve.gateway.review.routes import Host, Visitor, build_review_router, furnish

MAX_BODY = 1 << 20


@dataclass(frozen=True)
class Alone:
    """The one reviewer of this page. Whoever got past the guard is this one."""

    review: Review
    templates: Jinja2Templates

    async def visitor(self, request: Request) -> Visitor:
        """Everybody who asks."""
        return self

    async def sent(self, request: Request) -> tuple[Visitor, Mapping[str, str]]:
        """The form; that a page of ours sent it, the guard has seen to."""
        try:
            return self, fields(await request.body())
        except ValueError:
            raise HTTPException(422, "not a form in UTF-8") from None

    def shown(self, request: Request, page: Page) -> Response:
        """A page."""
        review = self.review
        around = {
            "house": "house",
            "reviewer": review.reviewer,
            "again": review.again,
            "file": review.file,
        }
        name, context = f"review/{page.name}.html", around | dict(page.context)
        return self.templates.TemplateResponse(request, name, context, status_code=page.status)


def create_page(review: Review, token: str) -> FastAPI:
    """The app; everything is below ``/<token>/``."""
    app = FastAPI(title="Smallhours review", docs_url=None, redoc_url=None, openapi_url=None)
    templates = Jinja2Templates(gateway.HERE / "templates")
    furnish(templates)
    alone = Alone(review, templates)
    app.include_router(build_review_router(Host(alone.visitor, alone.sent), prefix=f"/{token}"))

    @app.get(f"/{token}/")
    def first() -> Response:
        """The address that the terminal shows."""
        return RedirectResponse(START, 303)

    @app.exception_handler(AnyHTTPException)
    async def turned_away(request: Request, problem: AnyHTTPException) -> Response:
        """Told on a page like the others, never as bare JSON."""
        told = NO_SUCH_PAGE if problem.status_code == 404 else problem.detail
        context = {"problem": told, "recording": request.method == "POST"}
        return alone.shown(request, Page("problem", context, problem.status_code))

    app.mount(f"/{token}/house", StaticFiles(directory=gateway.HERE / "static"))
    app.add_middleware(BodyLimit, limit=MAX_BODY)
    app.add_middleware(Guard, token=token)
    app.add_middleware(SecurityHeaders)
    return app
