"""What a collection of pairs is like, in numbers, from one pass over it.

Memory grows with the number of different lengths and names, both bounded, and not with the number of pairs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from smallhours.corpus.text import count_words, cut
from smallhours.domain.messages import Role
from smallhours.domain.records import Example, ReviewState
from smallhours.semantics.readability import Size, measure

MOST_NAMES = 1000
LONGEST_NAME = 60
GRADED = "en"  # the only language that the Flesch-Kincaid grade is for
TENTHS = 10


class Histogram:
    """Whole numbers and how often each came."""

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._counts = Counter(values)

    def add(self, value: int) -> None:
        """Count one more of ``value``."""
        self._counts[value] += 1

    @property
    def n(self) -> int:
        """How many came in all."""
        return self._counts.total()

    @property
    def mean(self) -> float:
        """The mean; there must be something."""
        return sum(value * count for value, count in self._counts.items()) / self.n

    def within(self, low: float, high: float) -> int:
        """How many lie from ``low`` to ``high``, both included."""
        return sum(count for value, count in self._counts.items() if low <= value <= high)

    def quantile(self, share: float) -> float:
        """The value that ``share`` (0 to 1) of them lie below; between two of them, in proportion."""
        place = share * (self.n - 1)
        low, high = self._ranked(math.floor(place)), self._ranked(math.ceil(place))
        return low + (high - low) * (place % 1)

    def _ranked(self, rank: int) -> int:
        for value, count in self.items():
            if rank < count:
                return value
            rank -= count
        raise ValueError("nothing was counted")

    def items(self) -> Iterator[tuple[int, int]]:
        """Value and count, rising."""
        return iter(sorted(self._counts.items()))


class Tally:
    """Names and how often each came; those beyond the first thousand are counted together as ``others``."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self.others = 0

    def add(self, name: str) -> None:
        """Count one more of ``name``, of which a line of 60 printable characters is kept."""
        line = "".join(letter for letter in " ".join(name.split()) if letter.isprintable())
        short = cut(line, LONGEST_NAME)
        if short in self._counts or len(self._counts) < MOST_NAMES:
            self._counts[short] += 1
        else:
            self.others += 1

    def __getitem__(self, name: str) -> int:
        return self._counts[name]

    def __len__(self) -> int:
        return len(self._counts)

    def ranked(self) -> list[tuple[str, int]]:
        """Name and count, the most frequent first, equals by name."""
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))


@dataclass
class Facts:
    """The counts behind a data card.

    A question is a message of the person, an answer a message of the assistant that a model is to learn;
    ``fixed`` counts the assistant's other messages. Lengths are in words, ``grades`` in tenths of a school
    year, one for each English answer; ``english`` adds those answers up.
    """

    pairs: int = 0
    fixed: int = 0
    topics: Tally = field(default_factory=Tally)
    locales: Tally = field(default_factory=Tally)
    languages: Tally = field(default_factory=Tally)
    sources: Tally = field(default_factory=Tally)
    authors: Tally = field(default_factory=Tally)
    licences: Tally = field(default_factory=Tally)
    review: Counter[ReviewState] = field(default_factory=Counter)
    turns: Histogram = field(default_factory=Histogram)
    questions: Histogram = field(default_factory=Histogram)
    answers: Histogram = field(default_factory=Histogram)
    grades: Histogram = field(default_factory=Histogram)
    english: Size = field(default_factory=Size)

    def add(self, example: Example) -> None:
        """Count one more example."""
        language = example.locale.split("-")[0].lower()
        self.pairs += 1
        self.review[example.review] += 1
        for tally, name in (
            (self.topics, example.topic),
            (self.locales, example.locale),
            (self.languages, language),
            (self.sources, example.source),
            (self.authors, example.author),
            (self.licences, example.licence),
        ):
            tally.add(name)
        said = [message.content for message in example.messages if message.role is Role.USER]
        replies = [message for message in example.messages if message.role is Role.ASSISTANT]
        learnt = [message.content for message in replies if message.weight]
        self.turns.add(len(said))
        self.fixed += len(replies) - len(learnt)
        for text in said:
            self.questions.add(count_words(text))
        for text in learnt:
            self.answers.add(count_words(text))
            if language == GRADED:
                self._grade(measure(text))

    def _grade(self, size: Size) -> None:
        if size.grade is not None:
            self.grades.add(round(size.grade * TENTHS))
            self.english = self.english + size


def gather(examples: Iterable[Example]) -> Facts:
    """The facts of all ``examples``, each looked at once."""
    facts = Facts()
    for example in examples:
        facts.add(example)
    return facts
