"""The page around one review: pairs, verdicts, and where the review stands. No script is needed to use it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException as AnyHTTPException

from smallhours.cli.review_page.guard import Guard
from smallhours.corpus.review.editing import SPEAKERS
from smallhours.corpus.review.hidden import reveal, without_hidden
from smallhours.corpus.review.ledger import read_ledger
from smallhours.corpus.review.record import Verdict, example_hash
from smallhours.corpus.review.session import Review
from smallhours.corpus.review.status import review_status
from smallhours.domain.errors import InputError, SmallhoursError
from smallhours.domain.records import Example
from smallhours.serve.gateway import app as gateway
from smallhours.serve.gateway.forms import fields
from smallhours.serve.gateway.guards import BodyLimit, SecurityHeaders

HERE = Path(__file__).parent
MAX_BODY = 1 << 20
_NO_SUCH_PAGE = "there is no such page in this review"


@dataclass(frozen=True)
class Refused:
    """A verdict that was not recorded, why, and what the reviewer had typed, so that nothing is lost."""

    verdict: Verdict
    problem: str
    reason: str
    contents: list[str]


def create_page(review: Review, token: str) -> FastAPI:
    """The app; everything is below ``/<token>/``."""
    app = FastAPI(title="Smallhours review", docs_url=None, redoc_url=None, openapi_url=None)
    templates = Jinja2Templates(HERE / "templates")
    templates.env.filters |= {"reveal": reveal, "without_hidden": without_hidden}
    templates.env.globals.update(root=f"/{token}", review=review, speakers=SPEAKERS)
    app.include_router(_router(review, templates, f"/{token}"), prefix=f"/{token}")
    app.mount(f"/{token}/static", StaticFiles(directory=HERE / "static"))
    app.mount(f"/{token}/house", StaticFiles(directory=gateway.HERE / "static"))
    app.add_middleware(BodyLimit, limit=MAX_BODY)
    app.add_middleware(Guard, token=token)
    app.add_middleware(SecurityHeaders)

    _refusals(app, templates)
    return app


def _refusals(app: FastAPI, templates: Jinja2Templates) -> None:
    """What goes wrong is told on a page like the others, never as bare JSON."""

    def told(request: Request, problem: str, status: int) -> Response:
        context = {"problem": problem, "recording": request.method == "POST"}
        return templates.TemplateResponse(request, "problem.html", context, status_code=status)

    @app.exception_handler(SmallhoursError)
    async def refused(request: Request, problem: SmallhoursError) -> Response:
        return told(request, str(problem), 422)

    @app.exception_handler(AnyHTTPException)
    async def turned_away(request: Request, problem: AnyHTTPException) -> Response:
        return told(
            request, _NO_SUCH_PAGE if problem.status_code == 404 else problem.detail, problem.status_code
        )

    @app.exception_handler(RequestValidationError)
    async def misread(request: Request, problem: RequestValidationError) -> Response:
        return told(request, _NO_SUCH_PAGE, 404)


def _router(review: Review, templates: Jinja2Templates, root: str) -> APIRouter:
    router = APIRouter(default_response_class=Response)

    @router.get("/")
    def first() -> Response:
        """The first pair that waits."""
        return _onward(review, root, -1)

    @router.get("/skip/{position}")
    def skip(position: int) -> Response:
        """The next one, with no verdict on this."""
        return _onward(review, root, position)

    @router.get("/pair/{position}")
    def pair(request: Request, position: int, signed: int | None = None) -> Response:
        """One pair and the three verdicts."""
        return templates.TemplateResponse(request, "pair.html", _shown(review, position, signed))

    @router.post("/pair/{position}")
    async def judge(request: Request, position: int) -> Response:
        """Record a verdict, then on to the next pair; a verdict that cannot be comes back to be mended."""
        example = _example(review, position)
        form = _fields(await request.body())
        if form.get("text") != example_hash(example) or form.get("verdict") not in list(Verdict):
            raise HTTPException(409, "not the pair that this page showed; open it again")
        contents = [form.get(f"message-{number}", "") for number in range(len(example.messages))]
        verdict, reason = Verdict(form["verdict"]), form.get("reason", "")
        try:
            review.sign(position, verdict, reason, contents)
        except InputError as problem:
            refused = Refused(verdict, str(problem), reason, contents)
            context = _shown(review, position) | {"refused": refused}
            return templates.TemplateResponse(request, "pair.html", context, status_code=422)
        return _onward(review, root, position, position)

    @router.get("/done")
    def done(request: Request, signed: int | None = None) -> Response:
        """Nothing waits after the last pair."""
        context = _banner(review, signed) | _progress(review) | {"left": review.waiting()}
        return templates.TemplateResponse(request, "done.html", context)

    @router.get("/status")
    def status(request: Request) -> Response:
        """Counts, agreement, and the disputes on pairs that this reviewer has judged."""
        found = review_status(review.pairs, read_ledger(review.file), review.reviewer)
        places = {example.id: position for position, example in enumerate(review.pairs)}
        context = {"status": found, "places": places} | _progress(review)
        return templates.TemplateResponse(request, "status.html", context)

    return router


def _example(review: Review, position: int) -> Example:
    if not 0 <= position < len(review.pairs):
        raise HTTPException(404)
    return review.pairs[position]


def _shown(review: Review, position: int, signed: int | None = None) -> dict[str, object]:
    """What the page of one pair shows."""
    example = _example(review, position)
    context = {"position": position, "example": example, "text": example_hash(example), "refused": None}
    return context | _banner(review, signed) | _progress(review)


def _onward(review: Review, root: str, after: int, signed: int | None = None) -> RedirectResponse:
    """To the next pair that waits, or to the end."""
    following = next((one for one in review.waiting() if one > after), None)
    page = "done" if following is None else f"pair/{following}"
    return RedirectResponse(f"{root}/{page}" + ("" if signed is None else f"?signed={signed}"), 303)


def _banner(review: Review, signed: int | None) -> dict[str, object]:
    """What was signed a moment ago and what others said about it, now that the verdict is given."""
    if signed is None or not 0 <= signed < len(review.pairs):
        return {"signed": None}
    example, reviews = review.pairs[signed], review.reviews()
    return {
        "signed": signed,
        "signed_id": example.id,
        "signed_own": reviews.own(example, review.reviewer),
        "signed_others": reviews.others(example, review.reviewer),
    }


def _progress(review: Review) -> dict[str, object]:
    return {"reviews": review.reviews(), "judged": review.judged(), "total": len(review.pairs)}


def _fields(body: bytes) -> dict[str, str]:
    try:
        return fields(body)
    except ValueError:
        raise HTTPException(422, "not a form in UTF-8") from None
