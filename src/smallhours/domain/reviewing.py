"""A review of pairs as a page shows it: what a reviewer may see and do, and where the review stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from smallhours.domain.agreement import Kappa
from smallhours.domain.messages import Frozen, Role
from smallhours.domain.records import Example, ReviewState
from smallhours.domain.sign_offs import Reviewer, SignOff, Verdict

SPEAKERS = {Role.USER: "Person", Role.ASSISTANT: "Answer", Role.SYSTEM: "Instruction"}


class Agreement(Frozen):
    """Two reviewers and how far they agree."""

    one: Reviewer
    other: Reviewer
    kappa: Kappa


class Judged(Frozen):
    """How many of the pairs, as they stand, a reviewer has judged."""

    reviewer: Reviewer
    pairs: int


class Dispute(Frozen):
    """A pair on which reviewers differ, and the last word of each."""

    pair: str
    sign_offs: tuple[SignOff, ...]


class Status(Frozen):
    """The state of a review. ``changed`` pairs were signed once and have other words now."""

    pairs: int
    states: dict[ReviewState, int]
    changed: int
    reviewers: tuple[Judged, ...]
    agreements: tuple[Agreement, ...]
    disputes: tuple[Dispute, ...]
    notes: tuple[str, ...] = ()


class Standing(Frozen):
    """What was said about one pair in its present words, as one reviewer may see it.

    ``own`` is this reviewer's last word; ``others`` is empty until there is one. ``changed``: a pair of this
    id was signed, and never in these words.
    """

    own: SignOff | None
    others: tuple[SignOff, ...]
    changed: bool


class Reviewing(Protocol):
    """One reviewer's way through the pairs, each named by its position.

    Every call reads or writes files. All raise DataError where the file of sign-offs is damaged.
    """

    @property
    def pairs(self) -> Sequence[Example]:
        """What is reviewed."""
        ...

    @property
    def reviewer(self) -> Reviewer:
        """Who signs."""
        ...

    @property
    def again(self) -> bool:
        """Whether pairs that were judged before are offered, too."""
        ...

    def waiting(self) -> list[int]:
        """Positions of the pairs to go through, in their order."""
        ...

    def judged(self) -> int:
        """How many pairs the reviewer has judged as they stand."""
        ...

    def standing(self, position: int) -> Standing:
        """What was said about a pair."""
        ...

    def status(self) -> Status:
        """Where the review stands, without disputes that this reviewer has not judged."""
        ...

    def sign(
        self, position: int, verdict: Verdict, reason: str = "", contents: Sequence[str] = ()
    ) -> SignOff:
        """Record a verdict; ``contents`` are the texts of an edit, one for each message.

        Raises:
            InputError: a rejection without a reason, or an edit that cannot be.
            ResourceError: it could not be recorded; nothing was.
        """
        ...


class ReviewRoom(Protocol):
    """Pairs that several people review into one file of sign-offs."""

    def enter(self, reviewer: Reviewer, api_key: str) -> Reviewing:
        """The review of who came in with the key of that id. Raises SmallhoursError: no pairs to be had."""
        ...

    def status(self) -> Status:
        """Where the review stands. Raises SmallhoursError likewise."""
        ...
