"""TensorBoard event files, for those who watch their runs there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from smallhours.domain.errors import ResourceError
from smallhours.train.responder.loop import Event, Step


class ScalarWriter(Protocol):
    """The part of ``torch.utils.tensorboard.SummaryWriter`` that is used."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """Write one point of one curve."""
        ...

    def flush(self) -> None:
        """Make what was written readable by others."""
        ...

    def close(self) -> None:
        """Write the rest."""
        ...


def summary_writer() -> Callable[..., Any]:
    """The class that writes event files.

    Raises:
        ResourceError: the package tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ResourceError(
            "train.tensorboard: the package tensorboard is not installed. Install it with: "
            "pip install tensorboard; or train without --tensorboard"
        ) from None
    return SummaryWriter


class EventFiles:
    """Events as curves in ``folder``; what an earlier run wrote there for the same steps is hidden."""

    def __init__(self, folder: Path, make_writer: Callable[..., ScalarWriter]) -> None:
        self._folder, self._make_writer = folder, make_writer
        self._writer: ScalarWriter | None = None

    def __call__(self, event: Event) -> None:
        """A step as training curves, a look as a validation curve, readable from then on."""
        if self._writer is None:
            self._writer = self._make_writer(log_dir=str(self._folder), purge_step=event.step)
        if isinstance(event, Step):
            points = {
                "train/loss": event.loss,
                "train/smoothed_loss": event.smoothed_loss,
                "train/learning_rate": event.learning_rate,
                "speed/tokens_per_second": event.tokens_per_second,
                "memory/resident_bytes": event.memory,
            }
            for tag, value in points.items():
                self._writer.add_scalar(tag, value, event.step)
            return
        self._writer.add_scalar("validation/loss", event.validation_loss, event.step)
        self._writer.flush()

    def close(self) -> None:
        """Write the rest."""
        if self._writer is not None:
            self._writer.close()
