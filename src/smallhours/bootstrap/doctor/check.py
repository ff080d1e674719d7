"""What an examination says: one line for each thing looked at, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from smallhours.domain.settings import Settings


class State(StrEnum):
    """``warning``: works, but look at it. ``error``: would stop the service, or mislead who needs help."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. ``remedy`` says what to do, ``details`` has a line for each case."""

    name: str
    state: State
    said: str
    remedy: str = ""
    details: tuple[str, ...] = ()


# Looks at one thing, changes nothing, and may raise: that is an error, too.
Examination = Callable[[Settings], Iterable[Check]]


def ok(name: str, said: str) -> Check:
    """Nothing to do."""
    return Check(name, State.OK, said)


def warning(name: str, said: str, remedy: str, details: Iterable[str] = ()) -> Check:
    """Works, but look at it."""
    return Check(name, State.WARNING, said, remedy, tuple(details))


def error(name: str, said: str, remedy: str, details: Iterable[str] = ()) -> Check:
    """Would stop the service, or mislead somebody who asks for help."""
    return Check(name, State.ERROR, said, remedy, tuple(details))
