"""One reviewer's way through the pairs, whatever shows them: terminal or page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from smallhours.corpus.review.editing import proposed
from smallhours.corpus.review.ledger import append_sign_off, read_ledger
from smallhours.corpus.review.standing import Reviews
from smallhours.corpus.review.status import review_status
from smallhours.domain.errors import InputError
from smallhours.domain.records import Example
from smallhours.domain.reviewing import Standing, Status
from smallhours.domain.sign_offs import Reviewer, SignOff, Verdict, example_hash


def utc_now() -> datetime:
    """The time to the second."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Review:
    """Pairs named by their position, what is still to be judged, and how a verdict is recorded.

    Everything is read from the file of sign-offs each time, so a review resumes where it was left, and two
    reviewers can work on the same file. ``again`` also offers what the reviewer has judged before;
    ``api_key`` is the id of the key that the reviewer came in with, where there is a door.
    """

    pairs: Sequence[Example]
    file: Path
    reviewer: Reviewer
    again: bool = False
    api_key: str | None = None
    clock: Callable[[], datetime] = utc_now

    def reviews(self) -> Reviews:
        """The sign-offs of this moment."""
        return Reviews(read_ledger(self.file).sign_offs)

    def waiting(self) -> list[int]:
        """Positions of the pairs to go through, in their order."""
        reviews = self.reviews()
        return [
            position
            for position, example in enumerate(self.pairs)
            if self.again or reviews.own(example, self.reviewer) is None
        ]

    def judged(self) -> int:
        """How many pairs the reviewer has judged as they stand."""
        reviews = self.reviews()
        return sum(reviews.own(example, self.reviewer) is not None for example in self.pairs)

    def standing(self, position: int) -> Standing:
        """What was said about a pair, as this reviewer may see it."""
        example, reviews = self.pairs[position], self.reviews()
        return Standing(
            own=reviews.own(example, self.reviewer),
            others=tuple(reviews.others(example, self.reviewer)),
            changed=reviews.changed(example),
        )

    def status(self) -> Status:
        """Where the review stands, without disputes that this reviewer has not judged."""
        return review_status(self.pairs, read_ledger(self.file), self.reviewer)

    def sign(
        self, position: int, verdict: Verdict, reason: str = "", contents: Sequence[str] = ()
    ) -> SignOff:
        """Record a verdict; ``contents`` are the texts of an edit, one for each message.

        The very same verdict given twice on end is recorded once.

        Raises:
            InputError: a rejection without a reason, or an edit that cannot be.
            DataError, ResourceError: it could not be recorded; nothing was.
        """
        example = self.pairs[position]
        try:
            sign_off = SignOff(
                pair=example.id,
                text=example_hash(example),
                verdict=verdict,
                reason=reason,
                messages=proposed(example, contents) if verdict is Verdict.EDIT else None,
                reviewer=self.reviewer,
                api_key=self.api_key,
                at=self.clock(),
            )
        except ValidationError as error:
            raise InputError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        last = self.reviews().own(example, self.reviewer)
        ours = {"api_key", "at", "previous"}
        if last is not None and last.model_dump(exclude=ours) == sign_off.model_dump(exclude=ours):
            return last
        return append_sign_off(self.file, sign_off)


def signing_as(name: str | None, credential: str | None) -> Reviewer:
    """The reviewer of that name. Raises InputError where name or credential is missing."""
    try:
        return Reviewer(name=name or "", credential=credential or "")
    except ValidationError as error:
        flags = {"name": "--reviewer", "credential": "--credential"}
        lines = [
            f"{flags[str(detail['loc'][0])]}: {detail['msg'].removeprefix('Value error, ')}"
            for detail in error.errors()
        ]
        raise InputError("\n".join(lines)) from None


def of_topic(pairs: Sequence[Example], topic: str | None) -> list[Example]:
    """The pairs of one topic, or all. Raises InputError for a topic that none has."""
    chosen = [example for example in pairs if topic is None or example.topic == topic]
    if not chosen:
        known = ", ".join(sorted({example.topic for example in pairs}))
        raise InputError(f"--topic {topic}: no pair has it; topics are {known}")
    return chosen
