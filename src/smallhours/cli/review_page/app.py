"""The page around one review: pairs, verdicts, and where the review stands. No script is needed to use it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from smallhours.cli.review_page.guard import Guard
from smallhours.corpus.review.editing import SPEAKERS
from smallhours.corpus.review.hidden import reveal
from smallhours.corpus.review.ledger import read_ledger
from smallhours.corpus.review.record import Verdict, example_hash
from smallhours.corpus.review.session import Review
from smallhours.corpus.review.status import review_status
from smallhours.domain.errors import SmallhoursError
from smallhours.domain.records import Example
from smallhours.serve.gateway import app as gateway
from smallhours.serve.gateway.guards import BodyLimit, SecurityHeaders

HERE = Path(__file__).parent
MAX_BODY = 1 << 20


def create_page(review: Review, token: str) -> FastAPI:
    """The app; everything is below ``/<token>/``."""
    app = FastAPI(title="Smallhours review", docs_url=None, redoc_url=None, openapi_url=None)
    templates = Jinja2Templates(HERE / "templates")
    templates.env.filters["reveal"] = reveal
    templates.env.globals.update(root=f"/{token}", review=review, speakers=SPEAKERS)
    app.include_router(_router(review, templates, f"/{token}"), prefix=f"/{token}")
    app.mount(f"/{token}/static", StaticFiles(directory=HERE / "static"))
    app.mount(f"/{token}/house", StaticFiles(directory=gateway.HERE / "static"))
    app.add_middleware(BodyLimit, limit=MAX_BODY)
    app.add_middleware(Guard, token=token)
    app.add_middleware(SecurityHeaders)

    @app.exception_handler(SmallhoursError)
    async def refused(request: Request, problem: SmallhoursError) -> Response:
        return templates.TemplateResponse(request, "problem.html", {"problem": str(problem)}, status_code=422)

    return app


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
        example = _example(review, position)
        context = {"position": position, "example": example, "text": example_hash(example)}
        context |= _banner(review, signed) | _progress(review)
        return templates.TemplateResponse(request, "pair.html", context)

    @router.post("/pair/{position}")
    async def judge(request: Request, position: int) -> Response:
        """Record a verdict, then on to the next pair."""
        example = _example(review, position)
        form = _fields(await request.body())
        if form.get("text") != example_hash(example) or form.get("verdict") not in list(Verdict):
            raise HTTPException(409, "not the pair that this page showed; open it again")
        contents = [form.get(f"message-{number}", "") for number in range(len(example.messages))]
        review.sign(position, Verdict(form["verdict"]), form.get("reason", ""), contents)
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
        return templates.TemplateResponse(request, "status.html", {"status": found} | _progress(review))

    return router


def _example(review: Review, position: int) -> Example:
    if not 0 <= position < len(review.pairs):
        raise HTTPException(404)
    return review.pairs[position]


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
        form = parse_qs(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError:
        raise HTTPException(422, "not a form in UTF-8") from None
    return {name: values[-1] for name, values in form.items()}
