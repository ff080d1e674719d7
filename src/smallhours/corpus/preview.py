"""What was understood of a source, before anything is done with it, and what there is of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from smallhours.corpus.columns import NEEDED
from smallhours.corpus.rows import Fault
from smallhours.corpus.scrub import scrub
from smallhours.corpus.shapes import Found
from smallhours.corpus.sources import BUILTIN, Source
from smallhours.corpus.text import count_words
from smallhours.domain.messages import Role

PAIRS_SHOWN = 2
TOPICS_SHOWN = 5
_LONGEST = 100  # characters of a text shown
_LONGEST_NAME = 60  # and of the name of a column
_MOST_COLUMNS = 20
_NOTE = "note: "
_MOST_TOPICS = 10_000  # a column of other things than topics would fill the memory


@dataclass(frozen=True, slots=True)
class Preview:
    """How a source is read: its kind, its columns by meaning, and its first pairs, shortened and scrubbed."""

    name: str
    kind: str
    shape: str
    columns: dict[str, tuple[str, ...]]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.name}: {', '.join(part for part in (self.kind, self.shape) if part)}"
        for meaning in (*NEEDED, "messages"):
            if meaning in self.columns:
                yield f"  {meaning:<10} {_listed(self.columns[meaning], ' and ')}"
        also = [
            f"{m} {_listed(names)}" for m, names in self.columns.items() if m not in (*NEEDED, "messages")
        ]
        if also:
            yield f"  {'also':<10} {', '.join(also)}"
        if self.ignored:
            yield f"  {'not used':<10} {_listed(self.ignored)}"
        for note in self.notes:
            yield f"  {_NOTE}{note}"
        for question, answer in self.pairs:
            yield f"  Q  {question}"
            yield f"  A  {answer}"


def _listed(names: Sequence[str], between: str = ", ") -> str:
    more = len(names) - _MOST_COLUMNS
    shown = between.join(f"'{_cut(name, _LONGEST_NAME)}'" for name in names[:_MOST_COLUMNS])
    return shown + (f" and {more:,} more" if more > 0 else "")


def _cut(line: str, longest: int) -> str:
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def understood(sources: Iterable[Source]) -> list[str]:
    """How the owner's own files were read, a line for each and for each note; texts of pairs are left out."""
    lines: list[str] = []
    for source in sources:
        if not source.name.startswith(f"{BUILTIN}:"):
            seen = replace(preview(source), pairs=())
            first, *rest = (" ".join(line.split()) for line in seen.lines())
            lines.append("; ".join([first, *(line for line in rest if not line.startswith(_NOTE))]))
            lines += [line.removeprefix(_NOTE) for line in rest if line.startswith(_NOTE)]
    return lines


def preview(source: Source) -> Preview:
    """Look at the first rows.

    Raises:
        DataError: if there are none to be had.
    """
    way = source.pass_over()
    if way.header is not None:
        way.interpreter.shape(tuple(name for name in way.header if name))
    found = []
    for row in way.sample:
        found += [item for item in way.interpreter.examples(row) if isinstance(item, Found)]
    shapes = way.interpreter.shapes
    columns: dict[str, list[str]] = {}
    for shape in shapes:
        for name, meaning in shape.columns.items():
            if name not in columns.setdefault(meaning, []):
                columns[meaning].append(name)
    return Preview(
        name=source.name,
        kind=way.kind,
        shape=" and ".join(dict.fromkeys(shape.name for shape in shapes)),
        columns={meaning: tuple(names) for meaning, names in columns.items()},
        ignored=tuple(dict.fromkeys(name for shape in shapes for name in shape.ignored)),
        notes=tuple(dict.fromkeys([*way.notes, *(note for shape in shapes for note in shape.notes)])),
        pairs=tuple((_short(f.example.question), _short(f.example.answer)) for f in found[:PAIRS_SHOWN]),
    )


def _short(text: str) -> str:
    return _cut(" ".join(scrub(text).text.split()), _LONGEST)


@dataclass
class Tally:
    """What there is, counted on the way in a memory that does not grow with the rows.

    ``unreadable`` counts rows, however many faults each has.
    """

    pairs: int = 0
    conversations: int = 0
    unreadable: int = 0
    topics: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    _lengths: Counter[int] = field(default_factory=Counter)
    end: str = ""  # where a file became unreadable, if one did
    _unread: str = ""  # the last row that could not be read

    def counting(self, items: Iterable[Found | Fault]) -> Iterator[Found | Fault]:
        """The same items, counted."""
        for item in items:
            self.add(item)
            yield item

    def add(self, item: Found | Fault) -> None:
        """Count one more."""
        if isinstance(item, Fault):
            self.unreadable += item.place != self._unread  # a row may have several faults
            self._unread = item.place
            self.end = self.end or item.place * item.end
            return
        example = item.example
        self.pairs += 1
        self.conversations += sum(message.role is Role.USER for message in example.messages) > 1
        self.languages[example.locale.split("-")[0].lower()] += 1
        if example.topic in self.topics or len(self.topics) < _MOST_TOPICS:
            self.topics[example.topic] += 1
        self._lengths[count_words(example.answer)] += 1

    @property
    def median_words(self) -> int:
        """The median length of the answers, in words; 0 without any."""
        below = 0
        for length in sorted(self._lengths):
            below += self._lengths[length]
            if 2 * below >= self.pairs:
                return length
        return 0

    def __str__(self) -> str:
        parts = [f"{self.pairs:,} pairs"]
        if self.conversations:
            parts.append(f"{self.conversations:,} of them conversations")
        if self.unreadable:
            parts.append(f"{self.unreadable:,} unreadable")
        if self.end:
            parts.append(f"nothing after {self.end} could be read")
        if not self.pairs:
            return "; ".join(parts)
        parts.append(f"answers of {self.median_words} words (median)")
        shown = [f"{topic} {count:,}" for topic, count in self.topics.most_common(TOPICS_SHOWN)]
        more = len(self.topics) - len(shown)
        parts.append(f"topics: {', '.join(shown)}" + (f" and {more:,} more" if more else ""))
        if len(self.languages) > 1:
            parts.append(
                "languages: " + ", ".join(f"{tag} {n:,}" for tag, n in self.languages.most_common(8))
            )
        return "; ".join(parts)
