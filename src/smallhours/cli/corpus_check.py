"""``smallhours corpus check``: what was understood, what is wrong, and a repaired copy."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smallhours.cli.console import counted
from smallhours.cli.options import with_settings
from smallhours.domain.errors import DataError
from smallhours.domain.messages import Conversation
from smallhours.domain.risk import Decision
from smallhours.domain.settings import Settings

if TYPE_CHECKING:
    from smallhours.corpus.checkup import Checkup
    from smallhours.corpus.preview import Preview
    from smallhours.corpus.sources import Source
    from smallhours.safety import SafetyPipeline

REPORT_ENDINGS = (".csv", ".jsonl")


@click.command()
@click.argument("file", required=False)
@click.option(
    "--fix", "target", type=click.Path(path_type=Path), metavar="OUT", help="Write a repaired copy."
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Every problem and repair: .csv or .jsonl.",
)
@click.option("--screen/--no-screen", default=True, help="Look for questions in a crisis (a few ms a row).")
@click.option("--json", "as_json", is_flag=True, help="For programs: the counts and the first problems.")
@with_settings(file="data")
def check(settings: Settings, target: Path | None, report: Path | None, screen: bool, as_json: bool) -> int:
    """Say what was understood of FILE (default: the built-in pairs) and what is wrong with it.

    --fix OUT writes a new file: encoding, white space and leftovers of HTML repaired, personal data masked,
    and rows left out that repeat others, say nothing, diagnose or dose, or whose question is a crisis.
    JSON Lines (.jsonl) and .parquet keep whole records; .csv, .tsv and .xlsx work, too. The original is
    never touched.

    \b
    smallhours corpus check pairs.csv
    smallhours corpus check pairs.csv --fix fixed.jsonl --report report.csv

    Exit codes: 0 usable, or repaired; 2 errors, or a file that could not be read to its end.
    """
    from smallhours.bootstrap import safety
    from smallhours.corpus.preview import preview
    from smallhours.corpus.sources import Reading, open_sources

    sources = open_sources(settings.data, Reading(settings.corpus.columns, settings.corpus.sheet))
    _require_places(sources, target, report)
    previews = [preview(source) for source in sources]
    if not as_json:
        for line in (line for one in previews for line in one.lines()):
            click.echo(line)
    timed = _Timed(safety.safety_pipeline()) if screen else None
    found = _look(sources, timed, target, report)
    if as_json:
        click.echo(json.dumps(_as_json(previews, found, target), ensure_ascii=False, indent=1))
    else:
        for line in _lines(found, timed, target, report):
            click.echo(line)
    return 2 if found.tally.end or (found.errors and not target) else 0


def _require_places(sources: Sequence[Source], target: Path | None, report: Path | None) -> None:
    """Raises DataError before any work for outputs that cannot be, or that are the original by any name."""
    from smallhours.corpus.writing import require_writable

    for path, endings in ((target, ()), (report, REPORT_ENDINGS)):
        if path is None:
            continue
        require_writable(path, endings)
        for source in sources:
            if (
                path.exists()
                and source.path is not None
                and source.path.exists()
                and path.samefile(source.path)
            ):
                raise DataError(f"{path}: is the file to check, which is never written to; name another one")
    if target and report and target.absolute() == report.absolute():
        raise DataError(f"{report}: is the file for --fix, too; name another one")


def _look(sources: list[Source], screen: _Timed | None, target: Path | None, report: Path | None) -> Checkup:
    from smallhours.corpus.checkup import REPORT_COLUMNS, check_up
    from smallhours.corpus.repair import Repairer
    from smallhours.corpus.sources import BUILTIN, examples_of
    from smallhours.corpus.validate import Checker
    from smallhours.corpus.writing import pairs_writer, records_writer

    name = " + ".join(source.name for source in sources)
    invented = all(source.name.startswith(f"{BUILTIN}:") for source in sources)
    ahead = screen.ahead if screen else None
    items = counted(examples_of(sources), "checked")
    with ExitStack() as files:
        keep = files.enter_context(pairs_writer(target)) if target else None
        write = files.enter_context(records_writer(report, REPORT_COLUMNS)) if report else None
        found = check_up(
            ahead.over(items) if ahead else items,
            Checker(screen=ahead, invented=invented),
            write,
            Repairer(ahead) if target else None,
            keep,
        )
        if not found.tally.pairs and not found.tally.unreadable:
            raise DataError(f"{name}: has a header and no pairs; add a row for each pair")
        if target and not found.kept:
            raise DataError(f"{name}: no pair can be used as it is, so {target} was not written")
    return found


class _Timed:
    """A safety path that knows how long it took for how many questions; ``ahead`` screens the rows."""

    def __init__(self, pipeline: SafetyPipeline) -> None:
        from smallhours.corpus.screening import Ahead

        pipeline.screen_input(Conversation.of("hello"))  # loads what it needs
        self._pipeline = pipeline
        self.ahead = Ahead(self._one, self._many)
        self.calls = 0
        self.seconds = 0.0

    def _one(self, conversation: Conversation) -> Decision:
        with self._timed(1):
            return self._pipeline.screen_input(conversation)

    def _many(self, conversations: Iterable[Conversation]) -> list[Decision]:
        asked = list(conversations)
        with self._timed(len(asked)):
            return list(self._pipeline.screen_many(asked))

    @contextmanager
    def _timed(self, calls: int) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - began
        self.calls += calls


def _lines(found: Checkup, screen: _Timed | None, target: Path | None, report: Path | None) -> Iterator[str]:
    yield str(found.tally)
    yield from map(str, found.shown)
    more = found.problems - len(found.shown)
    if more:
        yield f"and {more:,} more; " + (
            f"all are in {report}" if report else "--report FILE.csv lists them all"
        )
    for what, counts in (("error", found.errors), ("warning", found.warnings)):
        plural = "s" if counts.total() != 1 else ""
        yield f"{counts.total():,} {what}{plural}" + (f": {_counts(counts)}" if counts else "")
    if screen and screen.calls:
        each = 1000 * screen.seconds / screen.calls
        yield f"looked for crises: {screen.calls:,} questions, {each:.1f} ms each (--no-screen leaves it out)"
    if target:
        yield f"wrote {target}: {found.kept:,} of {found.tally.pairs + found.tally.unreadable:,} rows"
        yield f"  repaired: {_counts(found.deeds) or 'nothing'}"
        yield f"  left out: {_counts(found.left_out) or 'nothing'}"
        if found.tally.end:
            yield f"  missing: every row after {found.tally.end}, where the file could be read no further"


def _counts(counts: Counter[Any]) -> str:
    return ", ".join(f"{what} {count:,}" for what, count in counts.most_common())


def _as_json(previews: Iterable[Preview], found: Checkup, target: Path | None) -> dict[str, Any]:
    tally = found.tally
    fixed = {"file": str(target), "pairs": found.kept, "repaired": found.deeds, "left_out": found.left_out}
    return {
        "understood": [asdict(one) for one in previews],
        "pairs": tally.pairs,
        "conversations": tally.conversations,
        "unreadable": tally.unreadable,
        "unread_after": tally.end or None,
        "median_answer_words": tally.median_words,
        "topics": dict(tally.topics.most_common(100)),
        "languages": dict(tally.languages.most_common(100)),
        "errors": found.errors,
        "warnings": found.warnings,
        "problems": [problem.model_dump(mode="json") for problem in found.shown],
        "fixed": fixed if target else None,
    }
