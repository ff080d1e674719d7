"""Whether this installation can be relied on: the machine, the packages, the words and numbers, the service.

Nothing is changed, nothing is fetched, and no secret is said: of what other packages raise, only the kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from smallhours.bootstrap.doctor import helplines, machine, packages, runs, safety, service, stores, weights
from smallhours.bootstrap.doctor.check import Check, Examination, State, error
from smallhours.domain.errors import SmallhoursError
from smallhours.domain.settings import Settings

__all__ = ["EXAMINATIONS", "Check", "State", "examine", "helplines_of"]

EXAMINATIONS: Mapping[str, Examination] = {
    "python": packages.python,
    "packages": packages.versions,
    "extras": packages.extras,
    "cpu": machine.cpu,
    "memory and disk": machine.room,
    **{name: partial(weights.whole, name=name) for name in weights.WEIGHTS},
    "safety path": safety.alone,
    "helplines": helplines.entries,
    "fixed replies": helplines.sign_off,
    "runs": runs.folders,
    "port": service.port,
    "API keys": service.api_keys,
    "memory": stores.memory,
    "master keys": stores.master_keys,
    "redis": service.redis,
    "upstream": service.upstream,
}


def examine(settings: Settings, examinations: Mapping[str, Examination] = EXAMINATIONS) -> Iterator[Check]:
    """Everything in turn; what cannot be looked at is an error and does not hide the rest."""
    for name, examination in examinations.items():
        try:
            yield from examination(settings)
        except SmallhoursError as problem:
            said, *more = str(problem).splitlines()
            yield error(name, said, "", more)
        except Exception as problem:  # noqa: BLE001 - whatever is wrong here, the other lines are wanted
            yield error(name, f"could not be looked at ({type(problem).__name__})", "please report this")


def helplines_of(path: Path) -> Iterator[Check]:
    """The helpline check of edited files, before they take the place of the installed ones.

    Raises:
        DataError: nothing there that could be such a file.
    """
    yield from helplines.entries(Settings(), helplines.with_edited(path))
