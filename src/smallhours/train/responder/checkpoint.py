"""A point that an interrupted training goes on from, in one file beside its target.

The file is the SHA-256 of the rest, a line break, and a ``torch.save`` archive that is read back with
``weights_only``: a file of somebody else's making can be wrong, and cannot run code.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from smallhours.domain.artifacts import hash_bytes, write_aside
from smallhours.domain.errors import ResourceError
from smallhours.train.responder.loop import Progress
from smallhours.train.responder.processes import (
    all_say,
    main_says,
    part_of,
    part_of_state,
    together,
    whole,
    whole_state,
)

_HASH_LENGTH = 64


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds: ``rows`` are the metrics so far, ``dtype`` the number type of the base.

    Weights and optimizer are whole, however many processes hold parts of them; ``random_states`` has the
    random numbers of each process.
    """

    identity: str
    dtype: str
    progress: Progress
    weights: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    random_states: list[dict[str, Any]]
    rows: list[dict[str, Any]]

    def restore(
        self, parameters: Mapping[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer
    ) -> Progress:
        """Set weights, optimizer and random numbers as they were; where training stood.

        A process that was not there then keeps its own random numbers.
        """
        with torch.no_grad():
            for name, weight in self.weights.items():
                parameters[name].copy_(part_of(weight, parameters[name]))
        optimizer.load_state_dict(part_of_state(self.optimizer, optimizer))
        if together().process_index < len(self.random_states):
            state = self.random_states[together().process_index]
            random.setstate(state["python"])
            torch.set_rng_state(state["torch"])
            if state["cuda"] is not None and torch.cuda.is_available():
                torch.cuda.set_rng_state(state["cuda"])
        best = {
            name: part_of(weight, parameters[name]) for name, weight in self.progress.best_weights.items()
        }
        return Progress(**{**vars(self.progress), "best_weights": best})


class CheckpointFile:
    """The checkpoint of one training, written every ``every`` seconds at most (0: never).

    ``identity`` is a hash of all that the result depends on: a checkpoint with another one is not used.
    """

    def __init__(self, path: Path, identity: str, every: float, announce: Callable[[str], None]) -> None:
        self.path, self.identity = path, identity
        self._every, self._announce = every, announce
        self._last = time.monotonic()
        self._warned = False

    def load(self) -> Saved | None:
        """The checkpoint, if there is one for exactly this training; why another one is not used is said."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._announce(f"training: {self.path} cannot be read ({error.strerror}); starting afresh")
            return None
        checksum, content = data[:_HASH_LENGTH], data[_HASH_LENGTH + 1 :]
        try:
            if hash_bytes(content).encode() != checksum:
                raise ValueError("its checksum does not match")
            raw = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
            saved = Saved(**{**raw, "progress": Progress(**raw["progress"])})
        except Exception as error:  # noqa: BLE001 (whatever is wrong with it, training can start afresh)
            self._announce(f"training: {self.path} is damaged ({error}); starting afresh")
            return None
        if saved.identity != self.identity:
            self._announce(f"training: {self.path} is of other data, settings or versions; starting afresh")
            return None
        return saved

    def offer(
        self,
        progress: Progress,
        parameters: Mapping[str, torch.nn.Parameter],
        optimizer: torch.optim.Optimizer,
        dtype: torch.dtype,
        rows: list[dict[str, Any]],
    ) -> None:
        """Write a checkpoint if the last one is old enough. A full disk is said once and stops nothing.

        All processes must offer; the main one's clock decides, and it writes.
        """
        if not self._every or not main_says(time.monotonic() - self._last >= self._every):
            return
        saved = {
            "identity": self.identity,
            "dtype": str(dtype).removeprefix("torch."),
            # The tensors are written as they are; asdict would copy each of them first.
            "progress": {
                **vars(progress),
                "best_weights": {name: whole(weight) for name, weight in progress.best_weights.items()},
            },
            "weights": {name: whole(p) for name, p in parameters.items()},
            "optimizer": whole_state(optimizer),
            "random_states": all_say(_random_state()),
            "rows": rows,
        }
        if together().is_main_process:
            self._write(saved)
        self._last = time.monotonic()

    def _write(self, saved: dict[str, Any]) -> None:
        content = io.BytesIO()
        torch.save(saved, content)
        data = content.getvalue()
        try:
            write_aside(self.path, hash_bytes(data).encode() + b"\n" + data)
        except ResourceError as error:
            if not self._warned:
                self._announce(f"warning: no checkpoint was written, training goes on: {error}")
            self._warned = True

    def remove(self) -> None:
        """Delete it, and what a kill may have left of the next one."""
        self.path.unlink(missing_ok=True)
        self.path.with_name(self.path.name + ".partial").unlink(missing_ok=True)


def _random_state() -> dict[str, Any]:
    """Of this process and its device."""
    return {
        "python": random.getstate(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    }
