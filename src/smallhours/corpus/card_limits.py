"""What a data set cannot do, in plain words: some of it is true of any, the rest follows from the counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smallhours.corpus.card_charts import ANSWER_BAND
from smallhours.corpus.facts import GRADED, MOST_NAMES, Facts
from smallhours.domain.records import ReviewState

FEW = 15  # pairs; a topic with fewer can hardly be learnt, and not measured
MOST_LISTED = 10
UNKNOWN = "unknown"


def known_limits(facts: Facts, figures: Mapping[str, Any]) -> list[str]:
    """One line each. ``figures`` are those of a built dataset's manifest, or empty."""
    return [
        *_signatures(facts),
        *_origins(facts),
        *_coverage(facts),
        *figures.get("cautions", ()),
        "Counts say what the texts look like. They do not say whether an answer is right, kind or safe.",
        "No part of this can handle a crisis, diagnose, or choose a treatment. Whoever is in danger calls "
        "their emergency number.",
        "Made here were no checks for personal data or for questions that are a crisis; that is the work of "
        "'smallhours corpus check' and of people who read.",
        "Near-duplicates are found by their letters, groups by meaning, too; some paraphrases are missed.",
        "The reading grade knows lengths of words and sentences, not meaning.",
    ]


def _signatures(facts: Facts) -> list[str]:
    approved, rejected = facts.review[ReviewState.APPROVED], facts.review[ReviewState.REJECTED]
    if not approved:
        lines = ["No pair is marked as approved: treat every answer as read by no professional."]
    else:
        lines = [
            f"{approved:,} of {facts.pairs:,} pairs are marked as approved. By whom, the file of sign-offs "
            "says, if there is one; this card does not check it."
        ]
    return lines + [f"{rejected:,} pairs are marked as rejected and are still here."] * bool(rejected)


def _origins(facts: Facts) -> list[str]:
    return [
        f"{tally[UNKNOWN]:,} of {facts.pairs:,} pairs do not say {what}."
        for tally, what in (
            (facts.sources, "where they come from"),
            (facts.authors, "what kind of author wrote them"),
            (facts.licences, "under which licence they may be used"),
        )
        if tally[UNKNOWN]
    ]


def _coverage(facts: Facts) -> list[str]:
    lines = []
    thin = sorted((count, name) for name, count in facts.topics.ranked() if count < FEW)
    if thin:
        listed = ", ".join(f"{name} ({count})" for count, name in thin[:MOST_LISTED])
        more = f" and {len(thin) - MOST_LISTED:,} more" if len(thin) > MOST_LISTED else ""
        lines.append(f"Topics with fewer than {FEW} pairs: {listed}{more}.")
    if len(facts.languages) == 1:
        lines.append(f"Everything is in one language ({facts.languages.ranked()[0][0]}).")
    if facts.languages[GRADED] < facts.pairs:
        lines.append("Nothing is known here about how hard the answers in languages beside English read.")
    outside = facts.answers.n - facts.answers.within(*ANSWER_BAND)
    if outside:
        lines.append(f"{outside:,} answers are shorter or longer than the aim.")
    if facts.topics.others:
        lines.append(
            f"Only the first {MOST_NAMES:,} topics are named; {facts.topics.others:,} pairs have others."
        )
    return lines
