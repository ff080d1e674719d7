"""What a reader of files gives: rows, and faults in place of rows that cannot be had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from smallhours.corpus.columns import meanings

TOP = 50  # rows in which the header must stand
ALIKE = 3  # lines shown that say the same of several rows


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file and where (``row 14``, ``line 3``). After the ``end`` nothing is read."""

    place: str
    text: str
    end: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def is_missing(value: Any) -> bool:
    """None, or the "not a number" with which tables of numbers write an empty cell."""
    return value is None or bool(value != value)


class Sparing:
    """Lets the first ``most`` lines of many through, and of those that say the same a few."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._alike: Counter[str] = Counter()

    def lets(self, text: str) -> bool:
        """Whether to show a line that says this, wherever it says it of."""
        if not self._left or self._alike[text] == ALIKE:
            return False
        self._left -= 1
        self._alike[text] += 1
        return True


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file: where an editor or a spreadsheet shows it, its number there, and its fields."""

    place: str
    number: int
    value: dict[str, Any]


@dataclass
class Table:
    """What a reader gives: the rows, the header where all rows share one, notes for the owner, and what kind
    of file it is in words."""

    rows: Iterator[Row | Fault]
    header: tuple[str, ...] | None = None
    notes: list[str] = field(default_factory=list)
    kind: str = ""


def with_header(
    rows: Iterator[tuple[int, list[Any]]] | Iterator[tuple[int, list[Any]] | Fault],
    notes: list[str],
    kind: str,
) -> Table | None:
    """A table from numbered rows of cells, the first filled one of which names the columns, if any is.

    Titles above the header (rows of fewer cells, before the first row that names a question and an answer)
    are noted and not read.
    """
    head = list(islice(rows, TOP))
    filled = [at for at, item in enumerate(head) if isinstance(item, Fault) or any(map(is_filled, item[1]))]
    if not filled:
        return None
    named = [(at, _names(head[at])) for at in filled]
    at = next((at for at, names in named if names and not meanings(names)[1]), filled[0])
    above = [(earlier, names) for earlier, names in named if earlier < at]
    if any(_width(names) >= _width(_names(head[at])) for _, names in above):
        # A row as wide as the pairs is no title: it is the header, unless somebody says otherwise.
        notes.append(f"row {at + 1} looks like the header, too; if it is, delete the rows above it")
        at, above = filled[0], []
    for earlier, names in above:
        title = " ".join(filter(None, names))[:40]
        notes.append(f"row {earlier + 1}, '{title}', stands above the header and is not read")
    chosen = head[at]
    if isinstance(chosen, Fault):
        return Table(iter([chosen]), notes=notes, kind=kind)
    header = _told_apart(_names(chosen))
    return Table(_records(chain(head[at + 1 :], rows), header), header, notes, kind)


def _width(names: list[str]) -> int:
    return sum(map(bool, names))


def _names(item: tuple[int, list[Any]] | Fault) -> list[str]:
    """The cells of a row as names of columns; none of a fault."""
    return [] if isinstance(item, Fault) else [str(c).strip() if is_filled(c) else "" for c in item[1]]


def is_filled(cell: Any) -> bool:
    """Whether a cell holds more than white space."""
    return cell is not None and str(cell).strip() != ""


def _told_apart(names: list[str]) -> tuple[str, ...]:
    """A name that comes again gets a number, so that no column hides another."""
    seen: dict[str, int] = {}
    for at, name in enumerate(names):
        seen[name] = seen.get(name, 0) + 1
        if name and seen[name] > 1:
            names[at] = f"{name} {seen[name]}"
    return tuple(names)


def _records(rows: Iterator[Any], header: tuple[str, ...]) -> Iterator[Row | Fault]:
    for item in rows:
        if isinstance(item, Fault):
            yield item
            continue
        number, cells = item
        if not any(is_filled(cell) for cell in cells):
            continue
        place = f"row {number}"
        if any(is_filled(cell) for cell in cells[len(header) :]):
            yield Fault(
                place,
                f"has {len(cells)} values and the header names {len(header)} columns; "
                "put quotation marks around a text that holds the separator",
            )
            continue
        padded = [*cells, *[""] * (len(header) - len(cells))]
        yield Row(place, number, {key: cell for key, cell in zip(header, padded, strict=False) if key})
