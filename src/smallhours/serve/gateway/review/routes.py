"""The pages of a review over HTTP. Who may come in, and what stands around a page, is its host's affair."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from smallhours.domain.errors import MissingError, SmallhoursError
from smallhours.domain.hidden import reveal, without_hidden
from smallhours.domain.reviewing import SPEAKERS, Reviewing
from smallhours.serve.gateway.review import pages
from smallhours.serve.gateway.review.pages import Outcome, Page

Act = Callable[[Reviewing], Outcome]
_LONGEST_NUMBER = 9


class Visitor(Protocol):
    """Somebody who may review."""

    @property
    def review(self) -> Reviewing:
        """Their way through the pairs."""
        ...

    def shown(self, request: Request, page: Page) -> Response:
        """A page, with what the host puts around it."""
        ...


@dataclass(frozen=True)
class Host:
    """What the pages are a part of. Both give who asks, or the response that turns them away.

    ``sent`` also gives the form, after it is sure that a page of ours sent it.
    """

    visitor: Callable[[Request], Awaitable[Visitor | Response]]
    sent: Callable[[Request], Awaitable[tuple[Visitor, Mapping[str, str]] | Response]]


def furnish(templates: Jinja2Templates) -> None:
    """What the templates of a review use."""
    templates.env.filters |= {"reveal": reveal, "without_hidden": without_hidden}
    templates.env.globals["speakers"] = SPEAKERS


def build_review_router(host: Host, prefix: str = "") -> APIRouter:
    """``<prefix>/review`` and the pages beside it. No script is needed to use them."""
    router = APIRouter(prefix=prefix, include_in_schema=False, default_response_class=Response)

    async def shown(request: Request, act: Act) -> Response:
        visitor = await host.visitor(request)
        return visitor if isinstance(visitor, Response) else await answered(request, visitor, act)

    @router.get("/review")
    async def first(request: Request) -> Response:
        """The first pair that waits."""
        return await shown(request, pages.onward)

    @router.get("/review-done")
    async def done(request: Request, signed: str = "") -> Response:
        """Nothing waits after the last pair."""
        return await shown(request, lambda review: pages.done(review, _number(signed)))

    @router.get("/review-status")
    async def status(request: Request) -> Response:
        """Where the review stands."""
        return await shown(request, pages.status)

    @router.get("/review-after-{position}")
    async def skip(request: Request, position: str) -> Response:
        """The next one, with no verdict on this."""
        return await shown(request, lambda review: pages.onward(review, _place(position)))

    @router.get("/review-{position}")
    async def pair(request: Request, position: str, signed: str = "") -> Response:
        """One pair and the three verdicts."""
        return await shown(request, lambda review: pages.pair(review, _place(position), _number(signed)))

    @router.post("/review-{position}")
    async def judge(request: Request, position: str) -> Response:
        """A verdict on it."""
        sent = await host.sent(request)
        if isinstance(sent, Response):
            return sent
        visitor, form = sent
        return await answered(request, visitor, lambda review: pages.judge(review, _place(position), form))

    return router


async def answered(request: Request, visitor: Visitor, act: Act) -> Response:
    """What came of it. In a thread: the file is read, locked and synced, and nobody else waits for that."""
    try:
        outcome = await run_in_threadpool(act, visitor.review)
    except SmallhoursError as problem:
        context = {"problem": str(problem), "recording": request.method == "POST"}
        outcome = Page("problem", context, 404 if isinstance(problem, MissingError) else 422)
    if isinstance(outcome, str):
        return RedirectResponse(outcome, 303)
    return visitor.shown(request, outcome)


def _place(text: str) -> int:
    number = _number(text)
    if number is None:
        raise MissingError(pages.NO_SUCH_PAGE)
    return number


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None
