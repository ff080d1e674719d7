"""What each page of a review shows, and where a verdict leads: no request in it, nothing of who may come in.

All addresses are relative and lie beside each other, so that the pages can be a part of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smallhours.domain.errors import InputError, MissingError
from smallhours.domain.records import Example
from smallhours.domain.reviewing import Reviewing
from smallhours.domain.sign_offs import Verdict, example_hash

START, DONE = "review", "review-done"
NO_SUCH_PAGE = "there is no such page in this review"
ANOTHER_PAIR = "not the pair that this page showed; open it again"


@dataclass(frozen=True)
class Page:
    """The template ``review/<name>.html`` and what stands in it."""

    name: str
    context: Mapping[str, Any]
    status: int = 200


Outcome = Page | str  # a page, or the address to go on to


@dataclass(frozen=True)
class Refused:
    """A verdict that was not recorded, why, and what the reviewer had typed, so that nothing is lost."""

    verdict: Verdict
    problem: str
    reason: str
    contents: list[str]


def onward(review: Reviewing, after: int = -1, signed: int | None = None) -> str:
    """The address of the next pair that waits, or of the end."""
    following = next((one for one in review.waiting() if one > after), None)
    page = DONE if following is None else f"review-{following}"
    return page + ("" if signed is None else f"?signed={signed}")


def pair(review: Reviewing, position: int, signed: int | None = None, refused: Refused | None = None) -> Page:
    """One pair and the three verdicts. Raises MissingError for a position that no pair has."""
    example = _example(review, position)
    context = {
        "position": position,
        "example": example,
        "text": example_hash(example),
        "standing": review.standing(position),
        "refused": refused,
    }
    context |= _banner(review, signed) | _progress(review)
    return Page("pair", context, 422 if refused else 200)


def judge(review: Reviewing, position: int, form: Mapping[str, str]) -> Outcome:
    """Record a verdict, then on to the next pair; a verdict that cannot be comes back to be mended.

    Raises:
        MissingError: no pair has this position.
        SmallhoursError: it could not be recorded; nothing was.
    """
    example = _example(review, position)
    if form.get("text") != example_hash(example) or form.get("verdict") not in list(Verdict):
        return Page("problem", {"problem": ANOTHER_PAIR, "recording": True}, 409)
    contents = [form.get(f"message-{number}", "") for number in range(len(example.messages))]
    verdict, reason = Verdict(form["verdict"]), form.get("reason", "")
    try:
        review.sign(position, verdict, reason, contents)
    except InputError as problem:
        return pair(review, position, refused=Refused(verdict, str(problem), reason, contents))
    return onward(review, position, position)


def done(review: Reviewing, signed: int | None = None) -> Page:
    """Nothing waits after the last pair."""
    return Page("done", _banner(review, signed) | _progress(review) | {"left": review.waiting()})


def status(review: Reviewing) -> Page:
    """Counts, agreement, and the disputes on pairs that this reviewer has judged."""
    places = {example.id: position for position, example in enumerate(review.pairs)}
    return Page("status", {"status": review.status(), "places": places} | _progress(review))


def _example(review: Reviewing, position: int) -> Example:
    if not 0 <= position < len(review.pairs):
        raise MissingError(NO_SUCH_PAGE)
    return review.pairs[position]


def _banner(review: Reviewing, signed: int | None) -> dict[str, Any]:
    """What was signed a moment ago and what others said about it, now that the verdict is given."""
    if signed is None or not 0 <= signed < len(review.pairs):
        return {"signed": None}
    example, standing = review.pairs[signed], review.standing(signed)
    return {"signed": signed, "signed_id": example.id, "signed_standing": standing}


def _progress(review: Reviewing) -> dict[str, Any]:
    return {"judged": review.judged(), "total": len(review.pairs)}
