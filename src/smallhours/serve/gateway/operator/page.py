"""What the operator's pages share: who is logged in, how a page is shown, and that a form is one of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import HTTPException, Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates

from smallhours.domain.errors import SmallhoursError
from smallhours.domain.oversight import Oversight
from smallhours.domain.reviewing import ReviewRoom
from smallhours.serve.gateway.forms import fields
from smallhours.serve.gateway.operator.overview import Watched
from smallhours.serve.gateway.operator.sessions import IDLE, Session, Sessions
from smallhours.serve.gateway.page import static_version

T = TypeVar("T")
# Does something with a conversation: its name, who asks, and why.
Act = Callable[[Oversight, str, str, str], Awaitable[T | None]]

COOKIE = "smallhours-operator"
_REASON, _NAME = 500, 32  # characters, as the log has room for

OVER = "Your session is over. Log in again; nothing was opened or changed."
FOR_REVIEW = "Your key is for reviewing the pairs, not for this."
ELSEWHERE = "That form was not sent from this page. Nothing was opened or changed."
NO_REASON = f"A reason is needed, of at most {_REASON} characters. Nothing was opened or changed."
GONE = "Nobody asked to have that conversation looked into, or it is gone. That you asked is written down."


@dataclass(frozen=True)
class OperatorPage:
    """What the routes work with. ``reviews`` are the pairs to review, if the settings name any."""

    templates: Jinja2Templates
    sessions: Sessions
    watched: Watched
    reviews: ReviewRoom | None = None

    def shown(
        self, request: Request, name: str, session: Session | None, code: int = 200, **context: Any
    ) -> Response:
        """The page of a template; with a session, its cookie is renewed."""
        context |= {"house": f"../static/{static_version()}", "session": session, "reviews": self.reviews}
        if session:
            context["form"] = self.sessions.form(session)
        page = self.templates.TemplateResponse(request, f"{name}.html", context, status_code=code)
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
            return self.shown(request, "operator/login", None, 401, problem=OVER)
        form = await form_of(request)
        if from_elsewhere(request) or not self.sessions.is_form(session, form.get("form", "")):
            return self.shown(request, "operator/problem", session, 403, problem=ELSEWHERE)
        return session, form

    async def done(self, request: Request, act: Act[T]) -> tuple[Session, T] | Response:
        """What ``act`` made of the conversation that a form names, and why; or the page that says why not."""
        asked = await self.asked(request)
        if isinstance(asked, Response):
            return asked
        session, form = asked
        if not session.operates:
            return self.shown(request, "operator/problem", session, 403, problem=FOR_REVIEW)
        name, reason = form.get("conversation", ""), form.get("reason", "").strip()
        if not 0 < len(reason) <= _REASON or len(name) > _NAME:
            return self.shown(request, "operator/problem", session, 422, problem=NO_REASON)
        try:
            oversight = await self.watched.find_oversight()
            result = await act(oversight, name, session.operator, reason) if oversight else None
        except SmallhoursError as error:
            return self.shown(request, "operator/problem", session, 503, problem=str(error))
        if not result:
            return self.shown(request, "operator/problem", session, 404, problem=GONE)
        return session, result


def from_elsewhere(request: Request) -> bool:
    """Whether the browser says that another site sent it. One too old to say has the form's own secret."""
    return request.headers.get("sec-fetch-site", "same-origin") != "same-origin"


async def form_of(request: Request) -> dict[str, str]:
    try:
        return fields(await request.body())
    except ValueError:
        return {}
