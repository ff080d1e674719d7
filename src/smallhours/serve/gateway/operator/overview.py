"""What the operator's page shows: how each part is, what is kept and for how long, and what is due."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from smallhours import __version__
from smallhours.domain.errors import SmallhoursError
from smallhours.domain.oversight import Holdings, Oversight
from smallhours.domain.reviewing import ReviewRoom, Status
from smallhours.domain.risk import STALE_DAYS
from smallhours.domain.settings import GatewaySettings, MemorySettings
from smallhours.safety.policy import VERSION
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway import people
from smallhours.serve.gateway.desk import Desk
from smallhours.serve.gateway.doors import Doors
from smallhours.serve.gateway.operator.counted import counted
from smallhours.serve.gateway.operator.history import History
from smallhours.serve.gateway.rounds import Rounds

_LOOKS_SHOWN = 20

State = Literal["ok", "off", "fault"]


@dataclass(frozen=True)
class Part:
    """One part of the service: how it is, and a line about it."""

    name: str
    state: State
    says: str


@dataclass(frozen=True)
class Watched:
    """What the page looks at. ``oversight`` gives None while nobody has agreed to be remembered."""

    assistant: Assistant
    desk: Desk
    doors: Doors
    history: History
    gateway: GatewaySettings
    memory: MemorySettings
    model_name: str
    rounds: Rounds | None = None
    oversight: Callable[[], Oversight | None] | None = None
    _opened: list[Oversight] = field(default_factory=list, init=False)

    async def find_oversight(self) -> Oversight | None:
        """Opened in a thread: its libraries take a second to load. Raises SmallhoursError."""
        if self._opened or not (self.memory.enabled and self.oversight):
            return self._opened[0] if self._opened else None
        found = await asyncio.to_thread(self.oversight)
        if found is not None:
            self._opened.append(found)
        return found

    async def close(self) -> None:
        """Let go of what was opened."""
        for one in self._opened:
            await one.close()


async def overview(watched: Watched, reviews: ReviewRoom | None = None) -> dict[str, Any]:
    """The page's contents; whatever does not answer is shown as such."""
    kept = await _kept(watched)
    parts = [*await _model(watched), _database(watched, kept), await _limits(watched), _worker(watched)]
    return {
        "now": datetime.now(UTC),
        "parts": [*parts, *_retention_job(watched)],
        "counted": counted(watched.history),
        "kept": kept,
        "retention_days": watched.memory.retention_days,
        "workers": watched.gateway.workers,
        "versions": _versions(watched),
        "reviewed": await _reviewed(reviews),
        "due": people.due(datetime.now(UTC).date()),
        "stale_days": STALE_DAYS,
        "last_checked": people.last_checked(),
    }


async def _kept(watched: Watched) -> dict[str, Any]:
    """What the memory says of itself: ``state`` is ``off``, ``empty``, ``fault`` or ``ok``."""
    if not watched.memory.enabled or watched.oversight is None:
        return {"state": "off"}
    try:
        oversight = await watched.find_oversight()
        if oversight is None:
            return {"state": "empty", "holdings": Holdings(), "reports": (), "looks": (), "broken": None}
        looks, broken = await oversight.log()
        return {
            "state": "ok",
            "holdings": await oversight.holdings(),
            "reports": await oversight.reports(),
            "looks": list(looks)[: -_LOOKS_SHOWN - 1 : -1],
            "all_looks": len(looks),
            "broken": broken,
        }
    except (SmallhoursError, OSError) as error:
        return {"state": "fault", "why": str(error)}


async def _reviewed(reviews: ReviewRoom | None) -> Status | str | None:
    """Where the review of the pairs stands, or why that cannot be said; None where nothing is to review."""
    try:
        return await asyncio.to_thread(reviews.status) if reviews else None
    except SmallhoursError as error:
        return str(error)


async def _model(watched: Watched) -> list[Part]:
    if servers := watched.assistant.health():
        return [
            Part(
                f"Model server {one.name}",
                "ok" if one.answers else "fault",
                f"{one.state}; {one.in_flight} answers under way; {one.restarts} restarts"
                + (f"; {one.reason}" if one.reason else ""),
            )
            for one in servers
        ]
    if watched.assistant.identity is None:
        return [Part("Model", "off", "none is loaded: prepared answers and fixed replies only")]
    answers = await watched.desk.ready()
    return [
        Part("Model", "ok", "produces a token") if answers else Part("Model", "fault", "produces no token")
    ]


def _database(watched: Watched, kept: dict[str, Any]) -> Part:
    says: dict[str, tuple[State, str]] = {
        "off": ("off", "this server remembers nothing (memory.enabled)"),
        "empty": ("ok", "nobody has agreed to be remembered yet, so there is none"),
        "ok": ("ok", "answers"),
        "fault": ("fault", kept.get("why", "")),
    }
    return Part("Database of the memory", *says[kept["state"]])


async def _limits(watched: Watched) -> Part:
    if not watched.gateway.redis:
        return Part("Store of limits", "ok", "in this process")
    answers = await watched.doors.limits_answer()
    if answers:
        return Part("Store of limits", "ok", "Redis answers")
    return Part("Store of limits", "fault", "Redis does not answer: each gateway counts for itself")


def _worker(watched: Watched) -> Part:
    since = f"since {watched.history.begun:%d %b %H:%M} UTC"
    one = f"process {os.getpid()}, one of {watched.gateway.workers}, {since}"
    return Part("This worker", "ok", f"{one}; {watched.desk.inside} ordinary messages answered or waiting")


def _retention_job(watched: Watched) -> list[Part]:
    if watched.rounds is None:
        return []
    last = watched.rounds.last
    if last is None:
        return [Part("Retention job", "ok", "its first round is under way")]
    at = f"last round {last.at:%d %b %H:%M} UTC"
    if last.outcome == "done":
        return [Part("Retention job", "ok", f"{at}: {last.deleted} conversations deleted")]
    why = "the clock had jumped" if last.outcome == "put off" else "the database did not answer"
    return [Part("Retention job", "fault", f"{at}: nothing was deleted, {why}; it is tried again every hour")]


def _versions(watched: Watched) -> dict[str, str]:
    identity = watched.assistant.identity
    return {
        "Smallhours": __version__,
        "Model": watched.model_name,
        "Base weights": identity.base if identity else "none",
        "Adapter": (identity.adapter or "none") if identity else "none",
        "Safety policy": VERSION,
        "How answers are made": watched.assistant.policy,
    }
