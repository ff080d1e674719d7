"""What is wrong with pairs: errors stop a build, warnings are counted. Row by row, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from smallhours.corpus.content import content_flaws
from smallhours.corpus.damage import LOST, fix_encoding, has_html
from smallhours.corpus.problems import Flaw, Problem, Rule, field_name, learnt, problem, unreadable
from smallhours.corpus.rows import Fault
from smallhours.corpus.screening import Screen
from smallhours.corpus.scrub import Kind, scrub_all
from smallhours.corpus.shapes import Found
from smallhours.corpus.text import asked, wording
from smallhours.domain.records import Example

ANSWER_WORDS = (20, 120)
BUILTIN_ANSWER_WORDS = (35, 70)


def check(
    items: Iterable[Found | Fault],
    answer_words: tuple[int, int] = ANSWER_WORDS,
    screen: Screen | None = None,
    invented: bool = False,
) -> Iterator[Problem]:
    """Everything questionable, in the order of the rows.

    ``answer_words`` is the length (in words, both ends included) an answer should have. Without ``screen``
    nobody looks for crises. ``invented`` names of people are nobody's.
    """
    checker = Checker(answer_words, screen, invented)
    for item in items:
        yield from checker.problems(item)


def check_pairs(
    examples: Sequence[Example],
    source_name: str,
    answer_words: tuple[int, int] = ANSWER_WORDS,
    screen: Screen | None = None,
    invented: bool = False,
) -> list[Problem]:
    """The same for pairs that are in memory, which messages call by their ids."""
    found = (Found(f"{source_name} pair '{example.id}'", example) for example in examples)
    return list(check(found, answer_words, screen, invented))


class Checker:
    """Looks at one row after the other; of those before it remembers 8 bytes and the place."""

    def __init__(
        self,
        answer_words: tuple[int, int] = ANSWER_WORDS,
        screen: Screen | None = None,
        invented: bool = False,
    ) -> None:
        self._band = answer_words
        self._screen = screen
        self._ignored = {Kind.NAME} if invented else set[Kind]()
        self._seen = Seen()

    def problems(self, item: Found | Fault) -> list[Problem]:
        """What is wrong with this row, repeats of earlier ones included."""
        if isinstance(item, Fault):
            return [problem(item, unreadable(item))]
        example = item.example
        flaws = [*content_flaws(example, self._band, self._screen), *_damage(example, self._ignored)]
        first = self._seen.first(example, item.place)
        if first:
            flaws.append(Flaw("question", Rule.REPEAT, f"and answer repeat {first}", "remove one"))
        return [problem(item, flaw) for flaw in flaws]


class Seen:
    """The pairs so far, by a hash (8 bytes) of their wording."""

    def __init__(self) -> None:
        self._places: dict[int, str] = {}

    def first(self, example: Example, place: str) -> str | None:
        """Where a pair of this wording was first; None, and remembered, if this is the first."""
        key = hash(f"{asked(example)}\n{wording(example.answer)}")
        if key in self._places:
            return self._places[key]
        self._places[key] = place
        return None


def _damage(example: Example, ignored: set[Kind]) -> Iterator[Flaw]:
    """What ``repair`` can put right."""
    kept = list(learnt(example))
    for (position, message), scrubbed in zip(kept, scrub_all([m.content for _, m in kept]), strict=True):
        name, text = field_name(example, position), message.content
        if LOST in text:
            remedy = "take the text from its source again"
            yield Flaw(name, Rule.ENCODING, f"holds '{LOST}', where a letter was lost", remedy)
        elif fix_encoding(text) != text:
            said = "looks decoded with the wrong table, like 'Ã©' for 'é'"
            yield Flaw(name, Rule.ENCODING, said, "repair it with --fix")
        if has_html(text):
            yield Flaw(name, Rule.HTML, "holds leftovers of HTML", "remove them with --fix")
        for span in scrubbed.spans:
            if span.kind not in ignored:
                said = f"holds personal data: {span.kind}, characters {span.start} to {span.end}"
                yield Flaw(name, Rule.PERSONAL, said, "mask it with --fix")
