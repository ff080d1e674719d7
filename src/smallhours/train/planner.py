"""What a training needs, said before any model is loaded: time, memory, disk.

Everything follows from a base's shape, the amount of text and two measured matrix rates
(:mod:`smallhours.train.costs`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from smallhours.domain.errors import InputError, ResourceError
from smallhours.domain.settings import ServeSettings, Settings
from smallhours.llm.answer_loss import Encoded
from smallhours.llm.base import Base
from smallhours.llm.loading import cache_folder
from smallhours.llm.machine import Dtype, Machine, measure_machine
from smallhours.llm.shape import Shape
from smallhours.train.costs import disk, evaluate_memory, seconds, serve_memory, train_memory
from smallhours.train.workload import Steps, Workload, counted_lengths, workload_of

Fit = Literal["fits", "tight", "too large"]

# Measured figures lay within these factors of the forecast, on a machine that does nothing else.
TIME_FACTORS = (0.55, 1.5)
MEMORY_FACTORS = (0.75, 1.25)
# A person waits this long, in seconds, before the quality of a larger base stops to matter.
PATIENCE = 3600


@dataclass(frozen=True)
class Candidate:
    """A base as the planner sees it.

    Attributes:
        targets: names of the linear layers that get an adapter.
        served: type of the weights that are served, one of ``shape.BYTES``.
        file_bytes: size of the file that is served, where it is at hand.
    """

    name: str
    title: str
    shape: Shape
    targets: tuple[str, ...]
    served: str = "q8_0"
    file_bytes: int | None = None


@dataclass(frozen=True)
class Forecast:
    """What a base needs here, in bytes and seconds; ``fit`` is about training and evaluation both."""

    name: str
    title: str
    parameters: int
    trainable: int
    disk: int
    train_memory: int
    evaluate_memory: int
    serve_memory: int
    seconds: float
    fit: Fit

    @property
    def seconds_range(self) -> tuple[float, float]:
        """Between which measured times are to be expected on a machine that does nothing else."""
        return TIME_FACTORS[0] * self.seconds, TIME_FACTORS[1] * self.seconds


@dataclass(frozen=True)
class TrainingPlan:
    """What this machine can train on the given data: one forecast for each base, smallest first."""

    machine: Machine
    dtype: Dtype
    chosen: str
    data: str
    pairs: int
    examples: int
    workload: Workload
    forecasts: tuple[Forecast, ...]

    @property
    def recommendation(self) -> str:
        """The chosen base, the largest that takes no more than an hour, and the largest of all that fit."""
        fitting = {one.name: one for one in self.forecasts if one.fit == "fits"}
        if not fitting:
            return (
                "no base fits with ease: close other programs, or lower train.batch_size or train.max_length"
            )
        by_size = sorted(fitting.values(), key=lambda one: one.parameters, reverse=True)
        in_time = [one for one in by_size if one.seconds <= PATIENCE]
        said = {by_size[0].name: "the largest that fits"}
        if in_time:
            said = {in_time[0].name: "the largest within an hour", **said}
        if self.chosen in fitting:
            said = {self.chosen: "the chosen base", **said}
        return "; ".join(
            f"{name}: about {duration(fitting[name].seconds)} ({why})" for name, why in said.items()
        )


def candidate(base: Base) -> Candidate:
    """A base of the catalog as the planner sees it."""
    try:
        size: int | None = base.weights().stat().st_size
    except (InputError, ResourceError):  # not a GGUF file, or not installed: its size is computed
        size = None
    return Candidate(base.name, base.title, base.shape, base.lora_targets, file_bytes=size)


def forecast(
    base: Candidate, workload: Workload, machine: Machine, dtype: Dtype, rank: int, serve: ServeSettings
) -> Forecast:
    """Everything about one base."""
    shape = base.shape
    trainable = shape.lora_parameters(rank, base.targets)
    served = base.file_bytes or shape.weight_bytes(base.served)
    to_train = train_memory(shape, trainable, workload, dtype)
    to_evaluate = evaluate_memory(shape)
    return Forecast(
        name=base.name,
        title=base.title,
        parameters=shape.parameters,
        trainable=trainable,
        disk=disk(shape, trainable, served),
        train_memory=to_train,
        evaluate_memory=to_evaluate,
        serve_memory=serve_memory(shape, trainable, served, serve),
        seconds=seconds(shape, workload, machine.trainer.rates.of(dtype)),
        fit=fit(max(to_train, to_evaluate), machine),
    )


def fit(memory: int, machine: Machine) -> Fit:
    """Whether ``memory`` bytes suffice: even on the high side, on the low side alone, or not at all."""
    low, high = (factor * memory for factor in MEMORY_FACTORS)
    if high <= machine.trainer.available:
        return "fits"
    return "tight" if low <= machine.trainer.available else "too large"


def foresee(
    base: Base,
    settings: Settings,
    examples: Sequence[Encoded],
    held_out: int,
    steps: Steps,
    announce: Callable[[str], None],
) -> None:
    """Say what a training on ``examples`` will take, before its model is loaded.

    Raises:
        ResourceError: when the memory clearly does not suffice.
    """
    options, machine = settings.train, measure_machine(cache_folder())
    dtype = machine.trainer.rates.fastest if options.dtype == "auto" else options.dtype
    work = workload_of(counted_lengths(examples), held_out, steps, options.batch_size)
    found = forecast(candidate(base), work, machine, dtype, options.rank, settings.serve)
    announce_forecast(found, machine, announce)


def announce_forecast(found: Forecast, machine: Machine, announce: Callable[[str], None]) -> None:
    """Say one line about what is coming.

    Raises:
        ResourceError: when the memory clearly does not suffice.
    """
    need, room = gigabytes(found.train_memory), gigabytes(machine.trainer.available)
    verdict = fit(found.train_memory, machine)
    if verdict == "too large":
        raise ResourceError(
            f"base '{found.name}': training needs about {need} of memory, and {room} are available. Choose a "
            "smaller base (smallhours plan lists what fits), or lower train.batch_size or train.max_length"
        )
    tight = f" of {room} available: close other programs" if verdict == "tight" else ""
    announce(f"forecast: about {duration(found.seconds)}, {need}{tight}")


def duration(seconds: float) -> str:
    """Rounded as a person would say it: ``40 seconds``, ``4 minutes``, ``2.5 hours``."""
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    if seconds < 90 * 60:
        minutes = max(1, round(seconds / 60))
        return f"{minutes} minute{'s' if minutes > 1 else ''}"
    return f"{seconds / 3600:.1f} hours" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"


def gigabytes(size: float) -> str:
    """``1.3 GB`` (10⁹ bytes)."""
    return f"{size / 1e9:.1f} GB"
