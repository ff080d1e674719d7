"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """Runs of each figure, requests of a run, and seconds of the soak; ``run`` is a finished run to start."""

    run: Path
    rounds: int = 3
    alone: int = 40
    together: int = 240
    over_model: int = 48
    crises: int = 100
    soak: float = 600.0

    @classmethod
    def short(cls, run: Path) -> Plan:
        """Each part in less than two minutes: to see that it works, not to publish."""
        return cls(run, rounds=1, alone=40, together=160, over_model=32, crises=40, soak=30.0)
