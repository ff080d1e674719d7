"""The counts as the operator's page shows them: tables over three spans of time, and a bar for each hour."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from smallhours.domain.risk import RiskCategory, RiskLevel
from smallhours.serve.assistant import Source
from smallhours.serve.gateway.operator.history import HOURS_KEPT, Counts, History

_SPANS = {"This hour": 1, "24 hours": 24, "7 days": HOURS_KEPT}
_CHART_HOURS = 24
_WIDTH, _HEIGHT, _GAP = 240, 64, 2  # of the chart, in its own units
_SERVER_ERROR, _CLIENT_ERROR, _HUNG_UP = 500, 400, "499"


@dataclass(frozen=True)
class Table:
    """Rows of counts; each has one number for each column."""

    caption: str
    columns: tuple[str, ...]
    rows: list[tuple[str, list[str]]]


@dataclass(frozen=True)
class Bar:
    """One hour of the chart: how many replies, how many of them to a crisis, and where that is drawn."""

    at: datetime
    replies: int
    crises: int
    x: float
    width: float
    top: float
    crisis_top: float

    height = _HEIGHT


def counted(history: History) -> dict[str, Any]:
    """Everything that the page counts."""
    spans = {name: history.last(hours) for name, hours in _SPANS.items()}
    levels = _over(spans, "Replies by level", "smallhours_replies_total", "level", RiskLevel)
    categories = _over(
        spans, "Replies by what was found", "smallhours_categories_total", "category", RiskCategory
    )
    return {
        "begun": history.begun,
        "levels": levels,
        "categories": categories,
        "bars": _bars(history),
        "latency": _latency(spans["24 hours"]),
        "requests": _requests(spans["24 hours"]),
        "refused": _over(spans, "Messages not answered, by reason", "smallhours_refused_total", "why"),
        "rejected": _over(
            spans,
            "Candidate answers that the guard stopped, by rule",
            "smallhours_candidates_rejected_total",
            "rule",
        ),
        "feedback": _over(spans, "What people said of replies", "smallhours_feedback_total", "verdict"),
        "failures": _over(
            spans, "Calls that a store did not answer", "smallhours_store_failures_total", "store"
        ),
    }


def _over(spans: dict[str, Counts], caption: str, name: str, label: str, always: Iterable[str] = ()) -> Table:
    """A counter by one label over the spans; names in ``always`` have a row even at zero."""
    found = [counts.by(name, label) for counts in spans.values()]
    longest = found[-1]
    more = sorted((key for (key,) in longest if key not in set(always)), key=lambda key: -longest[(key,)])
    rows = [(key, [str(one.get((key,), 0)) for one in found]) for key in [*always, *more]]
    return Table(caption, tuple(spans), [(_words(key), numbers) for key, numbers in rows])


def _latency(counts: Counts) -> Table:
    name, rows = "smallhours_reply_seconds", []
    for source in get_args(Source):
        if number := counts.total(f"{name}_count", source=source):
            bounds = [_seconds(counts.within(share, name, source=source)) for share in (0.5, 0.95)]
            rows.append((source, [str(number), *bounds]))
    return Table("Seconds from message to reply, 24 hours", ("Replies", "Half within", "95 % within"), rows)


def _requests(counts: Counts) -> Table:
    """Responses by route: all, refused (4xx), failed (5xx), and where the client hung up first."""
    by_route: dict[str, list[int]] = {}
    for (route, status), number in counts.by("smallhours_requests_total", "route", "status").items():
        row = by_route.setdefault(route, [0, 0, 0, 0])
        row[0] += number
        if status == _HUNG_UP:
            row[3] += number
        elif int(status) >= _CLIENT_ERROR:
            row[2 if int(status) >= _SERVER_ERROR else 1] += number
    rows = [(route, [str(n) for n in row]) for route, row in sorted(by_route.items(), key=lambda r: -r[1][0])]
    return Table("Requests, 24 hours", ("All", "Refused", "Failed", "Hung up"), rows)


def _bars(history: History) -> list[Bar]:
    """The hours from left to right, the newest at the right."""
    hours = history.by_hour(_CHART_HOURS)[::-1]
    counts = [(at, _replies(one)) for at, one in hours]
    most = max((replies for _, (replies, _) in counts), default=0) or 1
    step = _WIDTH / _CHART_HOURS
    first = _WIDTH - step * len(counts)
    return [
        Bar(
            at,
            replies,
            crises,
            x=round(first + step * place, 1),
            width=step - _GAP,
            top=round(_HEIGHT * (1 - replies / most), 1),
            crisis_top=round(_HEIGHT * (1 - crises / most), 1),
        )
        for place, (at, (replies, crises)) in enumerate(counts)
    ]


def _replies(counts: Counts) -> tuple[int, int]:
    by_level = {level: number for (level,), number in counts.by("smallhours_replies_total", "level").items()}
    return sum(by_level.values()), sum(n for level, n in by_level.items() if RiskLevel(level).is_crisis)


def _seconds(bound: float | None) -> str:
    if bound is None:
        return "–"
    return "longer" if math.isinf(bound) else f"{bound:g} s"


def _words(name: str) -> str:
    return name.replace("_", " ")
