"""Where pairs come from: a file, a data set of the Hugging Face hub, or the pairs that come with us.

A source can be read again and again, a row at a time, so that a file may be larger than memory. What trains
is read whole or not at all: every problem found is reported in one error, none is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from itertools import chain, islice
from pathlib import Path

from smallhours.corpus.hub import HUB, HubName, open_hub
from smallhours.corpus.rows import Fault, Row, Sparing, Table
from smallhours.corpus.shapes import Found, Interpreter
from smallhours.corpus.tables import open_table
from smallhours.domain.artifacts import hash_file, hash_json
from smallhours.domain.errors import DataError
from smallhours.domain.records import Example

SHOWN = 20
SAMPLE = 200  # rows looked at before the first is read, to settle what field names leave open
BUILTIN = "builtin"

# The collections that come with us: the file, and how many of its first rows (None: all).
_COLLECTIONS: dict[str, tuple[str, int | None]] = {
    "98": ("pairs.en.jsonl", 98),
    "en": ("pairs.en.jsonl", None),
    "conversations": ("conversations.en.jsonl", None),
    **{language: (f"pairs.{language}.jsonl", None) for language in ("es", "fr", "de", "pt", "hi", "ar")},
}
DEFAULT_COLLECTION = "en"
# Vetted answers in other languages that come with the built-in pairs.
TRANSLATIONS = "es+fr+de+pt+hi+ar"


@dataclass(frozen=True)
class Reading:
    """How a file is to be read where it leaves a doubt: owner's column names by meaning, and the sheet."""

    columns: Mapping[str, str] = field(default_factory=dict)
    sheet: str | None = None


@dataclass(frozen=True)
class Source:
    """A file or data set of pairs. Messages call it ``name``; its rows are named after ``stem``."""

    name: str
    stem: str
    path: Path | None = None
    hub: str | None = None
    limit: int | None = None
    reading: Reading = Reading()

    def table(self) -> Table:
        """A fresh pass over the rows. Raises DataError when there is none to be had."""
        table = open_hub(self.hub) if self.hub else open_table(self._path(), self.name, self.reading.sheet)
        return replace(table, rows=islice(table.rows, self.limit)) if self.limit else table

    def pass_over(self) -> Pass:
        """A fresh pass over the examples and faults."""
        return Pass(self)

    def content_hash(self) -> str:
        """Changes with the content and the way it is read, not with its name or place."""
        content = hash_json(self.hub) if self.hub else hash_file(self._path())
        return hash_json([content, self.limit, dict(self.reading.columns), self.reading.sheet])

    def _path(self) -> Path:
        path = self.path
        if path is None or not path.exists():
            raise DataError(f"{path}: no such file")
        if path.is_dir():
            raise DataError(f"{path}: is a folder; name the file of pairs in it")
        try:
            path.open("rb").close()
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from None
        return path


class Pass:
    """One way through a source: iterate over it for examples and faults, in order of the rows.

    ``interpreter``, ``kind`` and ``notes`` say what was understood.
    """

    def __init__(self, source: Source) -> None:
        self._table = source.table()
        sample = list(islice(self._table.rows, SAMPLE))
        self.header = self._table.header
        self.notes = self._table.notes
        self.kind = self._table.kind
        rows = [row for row in sample if isinstance(row, Row)]
        self.interpreter = Interpreter(source.stem, rows, source.reading.columns)
        self.sample = rows
        self._rows: Iterator[Row | Fault] = chain(sample, self._table.rows)

    def __iter__(self) -> Iterator[Found | Fault]:
        if self.header is not None:
            wrong = self.interpreter.shape(tuple(name for name in self.header if name)).wrong
            if wrong:
                yield from (Fault("row 1", text) for text in wrong)
                return
        for row in self._rows:
            if isinstance(row, Fault):
                yield row
            else:
                yield from self.interpreter.examples(row)


def open_sources(data: str | Path | None, reading: Reading | None = None) -> list[Source]:
    """What ``data`` names: a file, a data set of the hub, or ``builtin:`` collections.

    A data set is written ``hf:owner/name/config:split@revision``. Collections are joined by ``+``; None is
    the default one.

    Raises:
        DataError: for a collection that we do not have, or what cannot be the name of a data set.
    """
    data = None if data is None else str(data)
    if data is None or data == BUILTIN:
        data = f"{BUILTIN}:{DEFAULT_COLLECTION}"
    if data.startswith(f"{BUILTIN}:"):
        return [_collection(name) for name in data.removeprefix(f"{BUILTIN}:").split("+")]
    if data.startswith(HUB):
        name = data.removeprefix(HUB)
        stem = HubName.of(name).repository.rpartition("/")[2]
        return [Source(data, stem, hub=name, reading=reading or Reading())]
    path = Path(data)
    return [Source(path.name, path.stem, path, reading=reading or Reading())]


def _collection(name: str) -> Source:
    if name not in _COLLECTIONS:
        raise DataError(f"{BUILTIN}:{name}: no such collection; there are {', '.join(_COLLECTIONS)}")
    file, limit = _COLLECTIONS[name]
    path = Path(str(resources.files("smallhours.corpus") / "data" / file))
    return Source(f"{BUILTIN}:{name}", BUILTIN, path, limit=limit)


def examples_of(sources: list[Source]) -> Iterator[Found | Fault]:
    """Every example and fault of the sources, one source after the other; repeated ids are faults."""
    taken: dict[int, str] = {}  # of an id no more than its hash: there may be millions
    for source in sources:
        for item in source.pass_over():
            place = f"{source.name} {item.place}"
            if isinstance(item, Fault):
                yield replace(item, place=place)
                continue
            if item.named:
                first = taken.setdefault(hash(item.example.id), place)
                if first is not place:
                    first = first.removeprefix(f"{source.name} ")
                    text = f"id '{item.example.id}' is taken by {first}; every id must be unique"
                    yield Fault(place, text)
                    continue
            yield Found(place, item.example, item.named)


def read_pairs(path: Path | str, reading: Reading | None = None) -> list[Example]:
    """The pairs of a file, in its order.

    JSON Lines, JSON, CSV, TSV, Parquet and Excel are read, in any convention that ``shapes`` knows. A pair
    without an id is named after the file and its row: ``pairs-0002``.

    Raises:
        DataError: with the problems found (20 are shown, 3 of each kind), each naming its row.
    """
    return load_pairs(path, reading)


def load_pairs(data: str | Path | None, reading: Reading | None = None) -> list[Example]:
    """The pairs of what ``data`` names (see :func:`open_sources`), whole or not at all.

    Raises:
        DataError: with the problems found (20 are shown, 3 of each kind), each naming its row.
    """
    return list(stream_pairs(data, reading))


def stream_pairs(data: str | Path | None, reading: Reading | None = None) -> Iterator[Example]:
    """Like :func:`load_pairs`, a pair at a time; an error comes when all rows have been read."""
    name = source_name(data)
    shown: list[str] = []
    sparing = Sparing(SHOWN)
    found = faults = 0
    for item in examples_of(open_sources(data, reading)):
        if isinstance(item, Found):
            found += 1
            yield item.example
        else:
            faults += 1
            if sparing.lets(item.text):
                shown.append(str(item))
    if faults:
        more = [f"{name}: and {faults - len(shown)} more"] if faults > len(shown) else []
        raise DataError([*shown, *more])
    if not found:
        raise DataError(f"{name}: has a header and no pairs; add a row for each pair")


def builtin_pairs(collections: str = DEFAULT_COLLECTION) -> list[Example]:
    """The pairs that come with the package: collections joined by ``+``."""
    return load_pairs(f"{BUILTIN}:{collections}")


def source_name(data: str | Path | None) -> str:
    """What messages call it."""
    return " + ".join(source.name for source in open_sources(data))


def hash_pairs(data: str | Path | None, reading: Reading | None = None) -> str:
    """SHA-256 of the content and how it is read; neither name nor place matters.

    Raises:
        DataError: if it cannot be read.
    """
    hashes = [source.content_hash() for source in open_sources(data, reading)]
    return hashes[0] if len(hashes) == 1 else hash_json(hashes)
