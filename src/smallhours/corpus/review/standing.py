"""What the sign-offs say about pairs as they stand now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from smallhours.domain.records import Example, ReviewState
from smallhours.domain.sign_offs import Reviewer, SignOff, Verdict, example_hash

_STATES = {
    Verdict.APPROVE: ReviewState.APPROVED,
    Verdict.EDIT: ReviewState.EDITED,
    Verdict.REJECT: ReviewState.REJECTED,
}


class Reviews:
    """Sign-offs by the text they were given on.

    A sign-off follows its words: it holds wherever they stand, and no longer once they are changed.
    """

    def __init__(self, sign_offs: Iterable[SignOff]) -> None:
        self._on: dict[str, list[SignOff]] = defaultdict(list)
        self._pairs: set[str] = set()
        for sign_off in sign_offs:
            self._on[sign_off.text].append(sign_off)
            self._pairs.add(sign_off.pair)

    def latest(self, example: Example) -> dict[str, SignOff]:
        """The last word of each reviewer on the present text, by reviewer's key."""
        return {one.reviewer.key: one for one in self._on.get(example_hash(example), ())}

    def own(self, example: Example, reviewer: Reviewer) -> SignOff | None:
        """The reviewer's last word on the present text."""
        return self.latest(example).get(reviewer.key)

    def others(self, example: Example, reviewer: Reviewer) -> list[SignOff]:
        """What others said: nothing until the reviewer has judged, so that verdicts stay independent."""
        latest = self.latest(example)
        if reviewer.key not in latest:
            return []
        return [one for key, one in latest.items() if key != reviewer.key]

    def state(self, example: Example) -> ReviewState:
        """``disputed`` where reviewers differ, in the verdict or in the words proposed."""
        return state_of(self.latest(example).values())

    def changed(self, example: Example) -> bool:
        """Whether a pair of this id was signed, and never in its present words."""
        return example.id in self._pairs and not self.latest(example)


def state_of(sign_offs: Iterable[SignOff]) -> ReviewState:
    """What one verdict of each reviewer amounts to."""
    found = {(one.verdict, one.messages) for one in sign_offs}
    if not found:
        return ReviewState.UNREVIEWED
    return _STATES[found.pop()[0]] if len(found) == 1 else ReviewState.DISPUTED
