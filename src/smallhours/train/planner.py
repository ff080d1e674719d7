"""What a training needs, said before any model is loaded: time, memory, disk.

Everything follows from a base's shape, the amount of text and two measured matrix rates. The constants below
were fitted on this trainer (docs/log.md, "forecasts of a training"); refit them when it changes.
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
from smallhours.llm.shape import BYTES, Shape
from smallhours.train.workload import Steps, Workload, counted_lengths, workload_of

Fit = Literal["fits", "tight", "too large"]

# Share of the measured matrix rate that a step reaches, over the operations counted in `operations`, and the
# seconds that the first batch of each padded length takes longer: the matrix library builds its kernels.
REACHED, NEW_SHAPE = 0.47, 2.0
# Examples up to this many tokens get plain attention, whose weights are kept; longer ones flash attention.
PLAIN_ATTENTION_UP_TO = 320
# Measured figures lay within these factors of the forecast, on a machine that does nothing else.
TIME_FACTORS = (0.7, 1.5)
MEMORY_FACTORS = (0.75, 1.25)
# Python, torch, transformers and PEFT before any weight is read; llama.cpp, safety path and web server.
TRAIN_PROCESS, SERVE_PROCESS = 0.55e9, 0.45e9  # bytes
# A LoRA parameter in float32: its value, its gradient, AdamW's two moments, the best state seen so far.
BYTES_PER_TRAINED = 5 * 4
# Bytes in use by bytes of activations: gradients under way, the library's scratch, gaps in the heap.
ACTIVATION_FACTOR = 1.35
# Examples that a look at the validation set takes at once (the default of answer_loss.answer_losses).
LOOK_BATCH = 8
# A person waits this long, in seconds, before the quality of a larger base stops to matter.
PATIENCE = 3600
# Tokens whose logits are held at once in training (answer_loss.HEAD_ROWS) and in llama.cpp (its micro-batch).
TRAIN_LOGITS, SERVE_LOGITS = 128, 512


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
    # The held-out loss is measured in float32, so that its figures do not depend on the machine.
    to_evaluate = int(TRAIN_PROCESS + shape.weight_bytes("float32"))
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


def seconds(shape: Shape, workload: Workload, rate: float) -> float:
    """Seconds of the training itself, at a matrix rate in GFLOP/s; loading the model is not counted."""
    return operations(shape, workload) / (rate * 1e9 * REACHED) + NEW_SHAPE * workload.shapes


def operations(shape: Shape, workload: Workload) -> float:
    """Additions and multiplications of a whole training, looks at the held-out examples included.

    A multiply-accumulate is two operations. Training does it forward and once more backward, for the input
    alone: frozen weights need no gradient, and the adapter's own share is small. Looks go forward alone.
    The prefix that a batch shares is computed once, and the head is computed where an answer is predicted.
    """
    context = round(workload.tokens)
    token = shape.multiplications(context, head=False)
    predicted = shape.multiplications(context) - token

    def batches(examples: int, size: int) -> float:
        own = (workload.tokens - workload.prefix) * examples
        shared = workload.prefix * examples / size
        return (own + shared) * token + workload.answer_tokens * examples * predicted

    trained = batches(workload.steps * workload.batch, workload.batch)
    looked_at = batches((workload.looks + 1) * workload.held_out, LOOK_BATCH)
    return 2 * (2 * trained + looked_at)


def train_memory(shape: Shape, trainable: int, workload: Workload, dtype: Dtype) -> int:
    """Peak bytes of a training: process, weights, adapter with optimizer, activations, a piece of logits."""
    longest = workload.longest
    tokens = workload.batch * (longest - workload.prefix) + workload.prefix
    width = BYTES[dtype] + BYTES["float32"]
    logits = TRAIN_LOGITS * shape.vocabulary * width
    activations = tokens * shape.layers * activation_bytes(shape, longest, dtype)
    return int(
        TRAIN_PROCESS
        + shape.weight_bytes(dtype)
        + BYTES_PER_TRAINED * trainable
        + ACTIVATION_FACTOR * activations
        + logits
    )


def activation_bytes(shape: Shape, length: int, dtype: Dtype) -> int:
    """Bytes that one layer keeps of one token until its gradient has been computed.

    Kept in ``dtype``: the input of each projection (queries, keys and values share one, gate and up another),
    queries, keys and values (each key and value repeated for its queries), and what the activation function
    needs of the inner layer. Kept in float32: the input of each normalization. Plain attention keeps a row of
    weights for each head in both.
    """
    queries = shape.heads * shape.head_size
    inputs = 2 * shape.width + queries + shape.inner
    # SwiGLU keeps gate, its activation and up; GPT-2's tanh formula keeps four terms.
    nonlinear = (3 if shape.gated else 4) * shape.inner
    rows = shape.heads * length if length <= PLAIN_ATTENTION_UP_TO else 0
    narrow = inputs + 3 * queries + nonlinear + rows
    wide = shape.norms * shape.width + (rows if dtype != "float32" else 0)
    if shape.architecture == "gpt2":  # no fused passes: PEFT holds the input of each target in float32, too
        wide += inputs
    return int(narrow * BYTES[dtype] + wide * BYTES["float32"])


def serve_memory(shape: Shape, trainable: int, weights: int, serve: ServeSettings) -> int:
    """Bytes of a serving process: weights, adapter, keys and values of all parallel generations, logits."""
    cache = shape.cache_bytes(serve.context * serve.parallel)
    logits = SERVE_LOGITS * shape.vocabulary * 4
    return int(SERVE_PROCESS + weights + 4 * trainable + cache + logits)


def disk(shape: Shape, trainable: int, served: int) -> int:
    """Bytes on the disk: the checkpoint in bfloat16, the file that is served, the adapter for each."""
    return shape.weight_bytes("bfloat16") + served + 2 * 4 * trainable


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
