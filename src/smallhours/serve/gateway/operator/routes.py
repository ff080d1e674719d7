"""The operator's page over HTTP: log in, look, open what was reported, log out.

All of it is below ``/operator/``, and is not there at all while no key has the scope ``operator``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from smallhours.domain.errors import SmallhoursError
from smallhours.domain.oversight import Oversight
from smallhours.serve.gateway.forms import fields
from smallhours.serve.gateway.operator.overview import Watched, overview
from smallhours.serve.gateway.operator.sessions import IDLE, Session, Sessions
from smallhours.serve.gateway.page import static_version

T = TypeVar("T")
# Does something with a conversation: its name, who asks, and why.
Act = Callable[[Oversight, str, str, str], Awaitable[T | None]]

COOKIE = "smallhours-operator"
_REASON, _NAME = 500, 32  # characters, as the log has room for

WRONG_KEY = "That is not an operator's key, or it has expired or was revoked."
OVER = "Your session is over. Log in again; nothing was opened or changed."
ELSEWHERE = "That form was not sent from this page. Nothing was opened or changed."
NO_REASON = f"A reason is needed, of at most {_REASON} characters. Nothing was opened or changed."
GONE = "Nobody asked to have that conversation looked into, or it is gone. That you asked is written down."


@dataclass(frozen=True)
class OperatorPage:
    """What the routes work with."""

    templates: Jinja2Templates
    sessions: Sessions
    watched: Watched

    def shown(
        self, request: Request, name: str, session: Session | None, status: int = 200, **context: Any
    ) -> Response:
        """A page; with a session, its cookie is renewed."""
        context |= {"house": f"../static/{static_version()}", "session": session}
        if session:
            context["form"] = self.sessions.form(session)
        page = self.templates.TemplateResponse(request, f"operator/{name}.html", context, status_code=status)
        if session:
            self.remember(request, page, session)
        return page

    def remember(self, request: Request, response: Response, session: Session) -> None:
        """The cookie goes to the pages beside this one, to no script, and to no request from another site."""
        response.set_cookie(
            COOKIE,
            self.sessions.cookie(session),
            max_age=IDLE,
            path=None,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    def require(self) -> None:
        """Raises a 404 while nobody could log in."""
        if not self.sessions.wanted():
            raise HTTPException(404)

    def session(self, request: Request) -> Session | None:
        """Whoever is logged in."""
        self.require()
        return self.sessions.read(request.cookies.get(COOKIE, ""))

    async def asked(self, request: Request) -> tuple[Session, dict[str, str]] | Response:
        """Who sent a form of ours, and what it says; or the page that refuses it."""
        session = self.session(request)
        if session is None:
            return self.shown(request, "login", None, 401, problem=OVER)
        form = await _form(request)
        if _from_elsewhere(request) or not self.sessions.is_form(session, form.get("form", "")):
            return self.shown(request, "problem", session, 403, problem=ELSEWHERE)
        return session, form

    async def done(self, request: Request, act: Act[T]) -> tuple[Session, T] | Response:
        """What ``act`` made of the conversation that a form names, and why; or the page that says why not."""
        asked = await self.asked(request)
        if isinstance(asked, Response):
            return asked
        session, form = asked
        name, reason = form.get("conversation", ""), form.get("reason", "").strip()
        if not 0 < len(reason) <= _REASON or len(name) > _NAME:
            return self.shown(request, "problem", session, 422, problem=NO_REASON)
        try:
            oversight = await self.watched.find_oversight()
            result = await act(oversight, name, session.operator, reason) if oversight else None
        except SmallhoursError as error:
            return self.shown(request, "problem", session, 503, problem=str(error))
        if not result:
            return self.shown(request, "problem", session, 404, problem=GONE)
        return session, result


def build_operator_router(page: OperatorPage) -> APIRouter:
    """All of the operator's pages."""
    router = APIRouter(include_in_schema=False, default_response_class=Response)
    page.templates.env.filters |= {"clock": _clock, "day": _day}
    _add_door(router, page)
    _add_overview(router, page)
    _add_reports(router, page)
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
        return RedirectResponse("./", 303) if page.session(request) else page.shown(request, "login", None)

    @router.post("/operator/login")
    async def log_in(request: Request) -> Response:
        """A session for who has the key."""
        page.require()
        if _from_elsewhere(request):
            return page.shown(request, "login", None, 403, problem=ELSEWHERE)
        if too_many := await page.watched.doors.knock(request):
            return page.shown(request, "login", None, too_many.status, problem=too_many.message)
        session = page.sessions.begin((await _form(request)).get("key", ""))
        if session is None:
            return page.shown(request, "login", None, 401, problem=WRONG_KEY)
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
        return page.shown(request, "overview", session, **await overview(page.watched))


def _add_reports(router: APIRouter, page: OperatorPage) -> None:
    """What people asked to have looked into; each look is written down before anything is read."""

    @router.post("/operator/conversation")
    async def open_(request: Request) -> Response:
        """One reported conversation."""
        done = await page.done(request, lambda oversight, *what: oversight.open(*what))
        if isinstance(done, Response):
            return done
        session, opened = done
        return page.shown(request, "conversation", session, opened=opened)

    @router.post("/operator/settle")
    async def settle(request: Request) -> Response:
        """Looked into: off the list, and not to be opened here any more."""
        done = await page.done(request, lambda oversight, *what: oversight.settle(*what))
        return done if isinstance(done, Response) else RedirectResponse("./#reports", 303)


def _from_elsewhere(request: Request) -> bool:
    """Whether the browser says that another site sent it. One too old to say has the form's own secret."""
    return request.headers.get("sec-fetch-site", "same-origin") != "same-origin"


def _clock(moment: datetime | int) -> str:
    """The time of day, UTC, of a moment or of seconds since 1970."""
    return f"{_moment(moment):%H:%M}"


def _day(moment: datetime | int) -> str:
    return f"{_moment(moment):%d %b %Y}"


def _moment(moment: datetime | int) -> datetime:
    return datetime.fromtimestamp(moment, UTC) if isinstance(moment, int) else moment


async def _form(request: Request) -> dict[str, str]:
    try:
        return fields(await request.body())
    except ValueError:
        return {}
