"""The reviewers' pages as a part of the operator's: who is logged in signs, with the name of their key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from smallhours.domain.errors import SmallhoursError
from smallhours.domain.reviewing import Reviewing, ReviewRoom
from smallhours.domain.sign_offs import Reviewer
from smallhours.serve.gateway.operator.page import OperatorPage
from smallhours.serve.gateway.operator.sessions import Session
from smallhours.serve.gateway.review.pages import Page
from smallhours.serve.gateway.review.routes import Host, Visitor, build_review_router, furnish

NO_CREDENTIAL = (
    "Your key says no credential, and a sign-off says with what credential it was given. Whoever runs the "
    'server makes a key that does: smallhours keys add "Your name" --scopes operator,reviewer --credential '
    '"Your profession"'
)


@dataclass(frozen=True)
class LoggedIn:
    """A reviewer whose session is open."""

    page: OperatorPage
    session: Session
    review: Reviewing

    def shown(self, request: Request, page: Page) -> Response:
        """A page of the review; the session is renewed."""
        context = {"reviewer": self.review.reviewer, "again": self.review.again} | dict(page.context)
        return self.page.shown(request, f"review/{page.name}", self.session, page.status, **context)


@dataclass(frozen=True)
class Reception:
    """Lets in who may review."""

    page: OperatorPage
    room: ReviewRoom

    async def visitor(self, request: Request) -> Visitor | Response:
        """Whoever is logged in; others are sent to the door."""
        session = self.page.session(request)
        return RedirectResponse("login", 303) if session is None else await self._admit(request, session)

    async def sent(self, request: Request) -> tuple[Visitor, Mapping[str, str]] | Response:
        """The same of a form, which has to come from a page of this session."""
        asked = await self.page.asked(request)
        if isinstance(asked, Response):
            return asked
        session, form = asked
        visitor = await self._admit(request, session)
        return visitor if isinstance(visitor, Response) else (visitor, form)

    async def _admit(self, request: Request, session: Session) -> Visitor | Response:
        def refused(status: int, problem: str) -> Response:
            return self.page.shown(request, "operator/problem", session, status, problem=problem)

        try:
            reviewer = Reviewer(name=session.holder.name, credential=session.holder.credential)
        except ValidationError:
            return refused(403, NO_CREDENTIAL)
        try:
            review = await run_in_threadpool(self.room.enter, reviewer, session.key)
        except SmallhoursError as problem:
            return refused(503, str(problem))
        return LoggedIn(self.page, session, review)


def build_reviewers_router(page: OperatorPage, room: ReviewRoom) -> APIRouter:
    """The review, beside the operator's pages and under the same cookie."""
    furnish(page.templates)
    reception = Reception(page, room)
    return build_review_router(Host(reception.visitor, reception.sent), prefix="/operator")
