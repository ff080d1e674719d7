"""How far two reviewers agree beyond chance, over the texts that both judged."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from smallhours.domain.agreement import cohens_kappa
from smallhours.domain.reviewing import Agreement
from smallhours.domain.sign_offs import Reviewer, SignOff


def agreements(sign_offs: Iterable[SignOff]) -> list[Agreement]:
    """For each two reviewers who judged the same texts.

    The first verdict of each on a text counts: later ones may have been given after seeing the other's.
    """
    people: dict[str, Reviewer] = {}
    first: dict[tuple[str, str], SignOff] = {}
    for sign_off in sign_offs:
        people.setdefault(sign_off.reviewer.key, sign_off.reviewer)
        first.setdefault((sign_off.reviewer.key, sign_off.text), sign_off)
    found = []
    for one, other in combinations(people, 2):
        verdicts = [
            (sign_off.verdict.value, first[other, text].verdict.value)
            for (key, text), sign_off in first.items()
            if key == one and (other, text) in first
        ]
        if verdicts:
            found.append(Agreement(one=people[one], other=people[other], kappa=cohens_kappa(verdicts)))
    return found
