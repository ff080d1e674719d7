"""The operator's page over HTTP: log in, look, open what was reported, log out.

All of it is below ``/operator/``, and is not there at all while no key has a scope for it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from smallhours.serve.gateway.operator.overview import overview
from smallhours.serve.gateway.operator.page import COOKIE, ELSEWHERE, OperatorPage, form_of, from_elsewhere
from smallhours.serve.gateway.operator.reviewers import build_reviewers_router
from smallhours.serve.gateway.review.pages import START

WRONG_KEY = "That is not a key for this page, or it has expired or was revoked."


def build_operator_router(page: OperatorPage) -> APIRouter:
    """All of the operator's pages."""
    router = APIRouter(include_in_schema=False, default_response_class=Response)
    page.templates.env.filters |= {"clock": _clock, "day": _day}
    _add_door(router, page)
    _add_overview(router, page)
    _add_reports(router, page)
    if page.reviews:
        router.include_router(build_reviewers_router(page, page.reviews))
    return router


def _add_door(router: APIRouter, page: OperatorPage) -> None:
    """In and out."""

    @router.get("/operator")
    def without_slash() -> Response:
        """All addresses below are relative to the slash."""
        page.require()
        return RedirectResponse("operator/", 303)

    @router.get("/operator/login")
    def ask(request: Request) -> Response:
        """The form for the key."""
        return (
            RedirectResponse("./", 303)
            if page.session(request)
            else page.shown(request, "operator/login", None)
        )

    @router.post("/operator/login")
    async def log_in(request: Request) -> Response:
        """A session for who has the key."""
        page.require()
        if from_elsewhere(request):
            return page.shown(request, "operator/login", None, 403, problem=ELSEWHERE)
        if too_many := await page.watched.doors.knock(request):
            return page.shown(request, "operator/login", None, too_many.status, problem=too_many.message)
        session = page.sessions.begin((await form_of(request)).get("key", ""))
        if session is None:
            return page.shown(request, "operator/login", None, 401, problem=WRONG_KEY)
        inside = RedirectResponse("./", 303)
        page.remember(request, inside, session)
        return inside

    @router.post("/operator/logout")
    async def log_out(request: Request) -> Response:
        """The browser forgets the session."""
        asked = await page.asked(request)
        if isinstance(asked, Response):
            return asked
        outside = RedirectResponse("login", 303)
        outside.delete_cookie(COOKIE, path=None, httponly=True, samesite="strict")  # type: ignore[arg-type]
        return outside


def _add_overview(router: APIRouter, page: OperatorPage) -> None:
    """How the service is."""

    @router.get("/operator/")
    async def look(request: Request) -> Response:
        """Counts, health, versions, what is due; never what somebody wrote."""
        session = page.session(request)
        if session is None:
            return RedirectResponse("login", 303)
        if not session.operates:
            return RedirectResponse(START, 303)
        return page.shown(request, "operator/overview", session, **await overview(page.watched, page.reviews))


def _add_reports(router: APIRouter, page: OperatorPage) -> None:
    """What people asked to have looked into; each look is written down before anything is read."""

    @router.post("/operator/conversation")
    async def open_(request: Request) -> Response:
        """One reported conversation."""
        done = await page.done(request, lambda oversight, *what: oversight.open(*what))
        if isinstance(done, Response):
            return done
        session, opened = done
        return page.shown(request, "operator/conversation", session, opened=opened)

    @router.post("/operator/settle")
    async def settle(request: Request) -> Response:
        """Looked into: off the list, and not to be opened here any more."""
        done = await page.done(request, lambda oversight, *what: oversight.settle(*what))
        return done if isinstance(done, Response) else RedirectResponse("./#reports", 303)


def _clock(moment: datetime | int) -> str:
    """The time of day, UTC, of a moment or of seconds since 1970."""
    return f"{_moment(moment):%H:%M}"


def _day(moment: datetime | int) -> str:
    return f"{_moment(moment):%d %b %Y}"


def _moment(moment: datetime | int) -> datetime:
    return datetime.fromtimestamp(moment, UTC) if isinstance(moment, int) else moment
