"""What this machine offers: cores, memory, disk, a GPU, and how fast it multiplies matrices.

A container's limits count, not the hardware beneath it: a process that allocates past them is killed.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Dtype = Literal["float32", "bfloat16"]

# The probe's products grow from the first size to the last, or until one takes longer than the patience:
# a CPU that has no bfloat16 loses a moment and no more.
SIZES = (256, 512, 1024)
PATIENCE = 0.005  # seconds
ROUNDS = 20
# A cgroup without a limit says "max" (version 2) or a number past any real memory (version 1).
UNLIMITED = 1 << 60


@dataclass(frozen=True)
class Rates:
    """Measured matrix rates in GFLOP/s (10⁹ additions and multiplications a second), by number type."""

    float32: float
    bfloat16: float

    @property
    def fastest(self) -> Dtype:
        """The type that multiplies faster here; float32 where it makes no difference."""
        return "bfloat16" if self.bfloat16 > self.float32 else "float32"

    def of(self, dtype: Dtype) -> float:
        """GFLOP/s in ``dtype``."""
        return self.bfloat16 if dtype == "bfloat16" else self.float32


@dataclass(frozen=True)
class Gpu:
    """A CUDA device: bytes of its memory, and how many are free."""

    name: str
    memory: int
    available: int
    rates: Rates


@dataclass(frozen=True)
class Machine:
    """What a training may use.

    Attributes:
        cores: that this process may run on.
        memory: bytes in all, or the container's limit.
        available: bytes that this process may hold, what it holds already included.
        disk: free bytes where models are kept.
    """

    cores: int
    memory: int
    available: int
    disk: int
    rates: Rates
    gpu: Gpu | None = None

    @property
    def trainer(self) -> Machine | Gpu:
        """Where training happens: on the GPU if there is one."""
        return self.gpu or self


@dataclass(frozen=True)
class MemoryLimit:
    """A control group's limit, and what it uses of it that cannot be given back, both in bytes."""

    limit: int
    used: int


def measure_machine(models: Path) -> Machine:
    """Look at this machine and measure it: a fraction of a second, after torch is imported.

    ``models`` is the folder that models are kept in; it need not exist yet.
    """
    import psutil

    return Machine(
        cores=usable_cores(),
        memory=min(psutil.virtual_memory().total, *(one.limit for one in memory_limits()), UNLIMITED),
        available=psutil.Process().memory_info().rss + free_memory(),
        disk=shutil.disk_usage(next(p for p in (models, *models.absolute().parents) if p.exists())).free,
        rates=matrix_rates("cpu"),
        gpu=_find_gpu(),
    )


def free_memory() -> int:
    """Bytes that can be had without swapping, within the limits of a container."""
    import psutil

    limits = (one.limit - one.used for one in memory_limits())
    return int(min(psutil.virtual_memory().available, *limits, UNLIMITED))


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_limits(
    mounted: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> Iterator[MemoryLimit]:
    """The limits of this process's control group and of all above it; none outside Linux.

    Both versions are read: ``memory.max`` of cgroup 2 and ``memory.limit_in_bytes`` of cgroup 1. A container
    may see its own group at the root of the mount, so missing folders on the way are passed over.
    """
    try:
        lines = own.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        _, controllers, place = line.split(":", 2)
        if controllers == "":
            root, names = mounted, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = mounted / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        leaf = root / place.lstrip("/")
        for folder in (leaf, *(parent for parent in leaf.parents if parent.is_relative_to(root))):
            found = _read_limit(folder, *names)
            if found is not None:
                yield found


def _read_limit(folder: Path, limit: str, usage: str, cached: str) -> MemoryLimit | None:
    """One group's limit. Pages of files that nobody uses count as free: the kernel gives them back."""
    try:
        most = (folder / limit).read_text(encoding="ascii").strip()
        if most == "max" or int(most) >= UNLIMITED:
            return None
        used = int((folder / usage).read_text(encoding="ascii"))
        stat = dict(
            line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines()
        )
        return MemoryLimit(int(most), max(0, used - int(stat.get(cached, 0))))
    except (OSError, ValueError):
        return None


@cache
def matrix_rates(device: str) -> Rates:
    """Both matrix rates of a torch device, measured once in a process."""
    return Rates(float32=_matrix_rate("float32", device), bfloat16=_matrix_rate("bfloat16", device))


def _matrix_rate(dtype: Dtype, device: str) -> float:
    """GFLOP/s of a square product: 2n³ operations in the best time of a few."""
    rate = 0.0
    for size in SIZES:
        seconds = _product_seconds(dtype, device, size)
        rate = 2 * size**3 / seconds / 1e9
        if seconds > PATIENCE:
            break
    return rate


def _product_seconds(dtype: Dtype, device: str, size: int) -> float:
    import torch

    matrix = torch.full((size, size), 0.5, dtype=getattr(torch, dtype), device=device)

    def product() -> float:
        started = time.perf_counter()
        # Reading one number waits for a device that works on its own.
        torch.mm(matrix, matrix)[0, 0].item()
        return time.perf_counter() - started

    product()
    return min(product() for _ in range(ROUNDS))


def _find_gpu() -> Gpu | None:
    import torch

    if not torch.cuda.is_available():
        return None
    free, total = torch.cuda.mem_get_info()
    return Gpu(torch.cuda.get_device_name(), total, free, matrix_rates("cuda"))
