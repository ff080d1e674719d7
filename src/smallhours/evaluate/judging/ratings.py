"""People's ratings: which of two answers is better, and why. One JSON line each, only ever added to.

``data/ratings.jsonl`` was written for this project, questions, answers and ratings, by its author and with
the help of a language model: by nobody with clinical credentials, and not by somebody who saw them blind. It
says how far a judge shares the project's taste. Your own ratings say more: ``smallhours rate``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints, ValidationError

from smallhours.domain.agreement import Kappa, cohens_kappa
from smallhours.domain.artifacts import explained_disk_errors
from smallhours.domain.errors import DataError
from smallhours.domain.messages import Frozen
from smallhours.evaluate.judging.items import Choice, Item

BUILT_IN = Path(__file__).parent / "data" / "ratings.jsonl"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Rating(Frozen):
    """What one rater says of one item; ``rater`` is in the rater's own words, and nobody checks it."""

    question: Text
    one: Text
    two: Text
    better: Choice
    why: str = ""
    rater: Text
    at: date

    @property
    def item(self) -> Item:
        """What was rated."""
        return Item(question=self.question, one=self.one, two=self.two)


class Agreement(Frozen):
    """Two raters, or the judge and a rater, and how far they agree."""

    one: str
    other: str
    kappa: Kappa


def read_ratings(path: Path, *, must_exist: bool = True) -> list[Rating]:
    """Every rating of a file, in its order.

    Raises:
        DataError: there is no such file, or with every line that is no rating.
    """
    if not path.exists() and not must_exist:
        return []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({type(error).__name__})") from None
    ratings, problems = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            ratings.append(Rating.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = "".join(f"{part}: " for part in first["loc"])
            problems.append(f"{path} line {number}: {where}{first['msg']}; correct the line or delete it")
    if problems:
        raise DataError(problems)
    return ratings


def append_rating(path: Path, rating: Rating) -> None:
    """Add a line and have it on the disk before this returns. Raises ResourceError, and adds nothing then."""
    with explained_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as stream:
            size = stream.seek(0, os.SEEK_END)
            if size:
                stream.seek(size - 1)
            cut_off = bool(size) and stream.read(1) != b"\n"
            try:
                stream.write(b"\n" * cut_off + rating.model_dump_json().encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            except OSError:
                stream.truncate(size)
                raise


def items_of(ratings: Iterable[Rating]) -> list[Item]:
    """What was rated, each once, in order."""
    return list({rating.item.key: rating.item for rating in ratings}.values())


def waiting(items: Sequence[Item], ratings: Iterable[Rating], rater: str) -> list[Item]:
    """The items that ``rater`` has not rated yet."""
    own = {rating.item.key for rating in ratings if same_rater(rating.rater, rater)}
    return [item for item in items if item.key not in own]


def same_rater(one: str, other: str) -> bool:
    """Whether two names are one person's, however they are capitalized."""
    return _known_as(one) == _known_as(other)


def by_rater(ratings: Iterable[Rating]) -> dict[str, dict[str, Choice]]:
    """Rater -> item -> choice; the first of each counts, for later ones may have seen others'."""
    names: dict[str, str] = {}
    found: dict[str, dict[str, Choice]] = {}
    for rating in ratings:
        name = names.setdefault(_known_as(rating.rater), rating.rater)
        found.setdefault(name, {}).setdefault(rating.item.key, rating.better)
    return found


def agreements(raters: dict[str, dict[str, Choice]]) -> list[Agreement]:
    """Cohen's kappa of each two raters who rated the same items."""
    found = []
    for (one, ours), (other, theirs) in combinations(raters.items(), 2):
        both = [(choice, theirs[key]) for key, choice in ours.items() if key in theirs]
        if both:
            found.append(Agreement(one=one, other=other, kappa=cohens_kappa(both)))
    return found


def _known_as(name: str) -> str:
    return " ".join(name.split()).casefold()
