"""The words and tables of a data card. Markdown in, nothing invented: every number is a count of the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from smallhours import __version__
from smallhours.corpus.card_charts import ANSWER_BAND, GRADE_BAND, Picture
from smallhours.corpus.card_limits import known_limits
from smallhours.corpus.facts import TENTHS, Facts, Histogram, Tally
from smallhours.domain.records import ReviewState

MOST_ROWS = 50

Pictures = Mapping[str, Picture]
Figures = Mapping[str, Any]

_LANGUAGES = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "hi": "Hindi",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "pt": "Portuguese", "ru": "Russian",
    "tr": "Turkish", "zh": "Chinese",
}  # fmt: skip
_SPREAD = ("least", "a quarter below", "median", "three quarters below", "most", "mean")


def render(name: str, facts: Facts, pictures: Pictures, figures: Figures | None = None) -> str:
    """The card without its head. ``figures``: those of a built dataset's manifest."""
    parts = [
        f"# Data card: {escape(name)}",
        "Questions and answers for a support assistant that is not a therapist and not for emergencies. "
        "What follows was counted, not judged.",
        _overview(facts),
        "## Topics",
        _tallied("topic", facts.topics, facts.pairs),
        *_shown(pictures, "topics"),
        "## Languages",
        _languages(facts),
        *_shown(pictures, "languages"),
        *_lengths(facts),
        *_shown(pictures, "questions", "answers"),
        *_reading_level(facts),
        *_shown(pictures, "grades"),
        "## Review",
        _table(
            ("state", "pairs", "share"),
            [(s, f"{facts.review[s]:,}", _share(facts.review[s], facts.pairs)) for s in ReviewState],
        ),
        "## Sources, authors, licences",
        _tallied("source", facts.sources, facts.pairs),
        _tallied("author", facts.authors, facts.pairs),
        _tallied("licence", facts.licences, facts.pairs),
        *_splits(figures),
        "## Known limits",
        "\n".join(f"- {escape(line)}" for line in known_limits(facts, figures or {})),
        f"*Made by smallhours {__version__} from the data alone.*",
    ]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text as Markdown shows it letter by letter, without markup of its own."""
    for mark in "\\`*_[]|~#$":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("&", "&amp;").replace("<", "&lt;") or "(none)"


def _overview(facts: Facts) -> str:
    turns = facts.turns
    counts = (
        ("pairs", facts.pairs),
        ("of these, conversations in which the person speaks more than once", turns.n - turns.within(0, 1)),
        ("most messages of the person in one conversation", round(turns.quantile(1))),
        ("questions: messages of the person", facts.questions.n),
        ("answers: messages of the assistant that a model learns", facts.answers.n),
        ("fixed replies of the assistant, which no model learns", facts.fixed),
        ("topics" + " named here, and there are more" * bool(facts.topics.others), len(facts.topics)),
        ("languages", len(facts.languages)),
        ("pairs marked as approved by a reviewer", facts.review[ReviewState.APPROVED]),
    )
    return _table(("what", "count"), [(what, f"{count:,}") for what, count in counts])


def _languages(facts: Facts) -> str:
    rows = []
    for code, count in facts.languages.ranked()[:MOST_ROWS]:
        tags = [(tag, n) for tag, n in facts.locales.ranked() if tag.split("-")[0].lower() == code]
        listed = ", ".join(f"{escape(tag)} ({n:,})" for tag, n in tags[:MOST_ROWS])
        name = _LANGUAGES.get(code, "")
        rows.append((escape(code), name, f"{count:,}", _share(count, facts.pairs), listed))
    return _table(("code", "language", "pairs", "share", "locales"), rows)


def _lengths(facts: Facts) -> list[str]:
    low, high = ANSWER_BAND
    inside = facts.answers.within(low, high)
    texts = (("question", facts.questions), ("answer", facts.answers))
    return [
        "## Lengths",
        "In words, as white space parts them.",
        _table(("text", "count", *_SPREAD), [_spread(what, words, 1) for what, words in texts if words.n]),
        f"The aim is {low} to {high} words in an answer: {inside:,} of {facts.answers.n:,} answers "
        f"({_share(inside, facts.answers.n)}) have them.",
    ]


def _reading_level(facts: Facts) -> list[str]:
    title, english, n = "## Reading level", facts.english, facts.grades.n
    if english.grade is None:
        return [title, "None is claimed: the grade used is for English, and no answer here is English."]
    low, high = GRADE_BAND
    inside = facts.grades.within(low * TENTHS, high * TENTHS)
    return [
        title,
        "The Flesch-Kincaid grade: years of school in the United States that an English text asks for. "
        "The formula is of Kincaid, Fishburne, Rogers and Chissom (1975, Research Branch Report 8-75, Naval "
        "Air Station Memphis); syllables are counted by rule.",
        _table(("text", "count", *_SPREAD), [_spread("English answer", facts.grades, TENTHS)]),
        f"All of them as one text ({english.words:,} words, {english.sentences:,} sentences, "
        f"{english.syllables:,} syllables) have grade {english.grade:.1f}. The aim is grade {low} to {high}: "
        f"{inside:,} of {n:,} answers ({_share(inside, n)}) have it. No grade is claimed for the "
        f"{facts.answers.n - n:,} answers in other languages.",
    ]


def _splits(figures: Figures | None) -> list[str]:
    title = "## Splits, near-duplicates, leakage"
    if figures is None:
        return [title, "Not measured here: `smallhours corpus build` groups, splits and measures."]
    groups = figures["groups"]
    splits = [
        (split, *(f"{part[key]:,}" for key in ("examples", "pairs", "groups")))
        for split, part in figures["splits"].items()
    ]
    leaks = [
        (
            split,
            f"{leak['bound']:.2f}",
            f"{leak['reached']:,}",
            *(f"{leak[f]['max']:.2f}" for f in ("question", "answer")),
        )
        for split, leak in figures["leaks"].items()
    ]
    return [
        title,
        f"The {figures['pairs']:,} pairs form {groups['count']:,} groups whose answers are alike or whose "
        f"question is the same; the largest holds {groups['largest']:,}. No group is torn apart. "
        "Examples beyond the pairs are rewordings of questions. "
        f"Left out before, because an earlier row says the same: {figures['duplicates']:,} rows.",
        _table(("split", "examples", "pairs", "groups"), splits),
        "How near held-out texts come to a training text, by the cosine of sentence vectors (1: the same). "
        "At the bound a text would count as leaked.",
        _table(("split", "bound", "texts at the bound", "nearest question", "nearest answer"), leaks),
    ]


def _tallied(what: str, tally: Tally, total: int) -> str:
    ranked = tally.ranked()
    rows = [(escape(name), f"{n:,}", _share(n, total)) for name, n in ranked[:MOST_ROWS]]
    rest = tally.others + sum(count for _, count in ranked[MOST_ROWS:])
    if rest:
        rows.append(("*all others together*", f"{rest:,}", _share(rest, total)))
    return _table((what, "pairs", "share"), rows)


def _spread(what: str, values: Histogram, unit: int) -> tuple[str, ...]:
    points = [*(values.quantile(share) for share in (0, 0.25, 0.5, 0.75, 1)), values.mean]
    return (what, f"{values.n:,}", *(f"{point / unit:,.1f}" for point in points))


def _shown(pictures: Pictures, *names: str) -> list[str]:
    return [pictures[name].markdown for name in names if name in pictures]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole if whole else 0:.1f} %"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(names) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, rule, *rows))
