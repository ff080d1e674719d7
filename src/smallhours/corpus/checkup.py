"""One way through all rows: what is wrong with them, and with ``--fix`` what becomes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from smallhours.corpus.preview import Tally
from smallhours.corpus.problems import Problem, Rule, Severity
from smallhours.corpus.repair import Deed, Repaired, Repairer
from smallhours.corpus.rows import Fault, Sparing
from smallhours.corpus.shapes import Found
from smallhours.corpus.validate import Checker
from smallhours.corpus.writing import Write
from smallhours.domain.records import Example

SHOWN = 20
REPORT_COLUMNS = ("place", "id", "what", "rule", "field", "text", "remedy")


@dataclass
class Checkup:
    """What came of it. ``shown`` are the first problems; the report has all."""

    tally: Tally = field(default_factory=Tally)
    shown: list[Problem] = field(default_factory=list)
    errors: Counter[Rule] = field(default_factory=Counter)
    warnings: Counter[Rule] = field(default_factory=Counter)
    deeds: Counter[Deed] = field(default_factory=Counter)
    left_out: Counter[Rule] = field(default_factory=Counter)
    kept: int = 0
    sparing: Sparing = field(default_factory=lambda: Sparing(SHOWN))

    @property
    def problems(self) -> int:
        """How many there are in all."""
        return self.errors.total() + self.warnings.total()


def check_up(
    items: Iterable[Found | Fault],
    checker: Checker,
    report: Write | None = None,
    repairer: Repairer | None = None,
    keep: Callable[[Example, str], None] | None = None,
) -> Checkup:
    """Look at every row once, and repair it where there is a ``repairer``; ``keep`` takes what can be used.

    ``report`` takes a record with ``REPORT_COLUMNS`` for each problem and for each thing done.
    """
    found = Checkup()
    for item in found.tally.counting(items):
        for problem in checker.problems(item):
            _note(problem, found)
            if report:
                report(
                    {"what": problem.severity.value, **problem.model_dump(mode="json", exclude={"severity"})}
                )
        if repairer:
            repaired = repairer.repair(item)
            _count(repaired, found)
            if repaired.example and keep:
                keep(repaired.example, repaired.place)
            if report:
                for record in _deeds(repaired):
                    report(record)
    return found


def _note(problem: Problem, found: Checkup) -> None:
    counts = found.errors if problem.severity is Severity.ERROR else found.warnings
    counts[problem.rule] += 1
    if found.sparing.lets(f"{problem.field} {problem.text}"):
        found.shown.append(problem)


def _count(repaired: Repaired, found: Checkup) -> None:
    found.kept += repaired.example is not None
    found.deeds.update(done.deed for done in repaired.done)
    found.left_out.update([repaired.reasons[0].rule] if repaired.reasons else ())


def _deeds(repaired: Repaired) -> list[dict[str, str]]:
    deeds = [
        *(("repaired", done.deed.value, done.field, done.detail) for done in repaired.done),
        *(("left out", flaw.rule.value, flaw.field, flaw.text) for flaw in repaired.reasons),
    ]
    return [
        dict(zip(REPORT_COLUMNS, (repaired.place, repaired.id, *deed, ""), strict=True)) for deed in deeds
    ]
