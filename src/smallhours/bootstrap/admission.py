"""Who is let past the gate: a passing verdict, or somebody who says that they take the risk."""

from __future__ import annotations

from collections.abc import Callable

from smallhours.domain.errors import InputError, RefusedError
from smallhours.domain.settings import Settings

UNSAFE = (
    "WARNING: --unsafe-skip-gate: the release gate did not pass for these weights, or never spoke of them. "
    "For research only; nobody in need may meet this model."
)

ON_PAGE = (
    "Research only: this model did not pass its release gate. Do not rely on it. "
    "In danger, call your emergency number."
)


def admit(settings: Settings, announce: Callable[[str], None], *, skip: bool = False) -> bool:
    """Whether the run's weights were let past the gate without a passing verdict; it is announced if so.

    Raises:
        RefusedError: there is no passing verdict for exactly these weights, and ``skip`` is false.
        RunError: nothing was measured, and ``skip`` is false.
    """
    from smallhours.export.run import require_passing_verdict

    try:
        require_passing_verdict(settings.run_folder)
    except (RefusedError, InputError) as error:
        if not skip:
            raise
        announce(f"{UNSAFE} ({error})")
        return True
    return False
