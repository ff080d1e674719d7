"""The processor, and room for the default run."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from smallhours.bootstrap.doctor.check import Check, error, ok, warning
from smallhours.domain.settings import Settings

CPUINFO = Path("/proc/cpuinfo")
# What the kernels of numpy, torch and llama.cpp are written for, by machine.
FAST = {"x86_64": ("avx2", "fma", "f16c"), "aarch64": ("asimd",)}
# With one of these, training in bfloat16 is faster than in float32.
BFLOAT16 = ("amx_bf16", "avx512_bf16", "bf16")


def cpu(settings: Settings) -> Iterator[Check]:
    """Instructions that decide about speed, where the system tells them."""
    known = features()
    wanted = FAST.get(platform.machine(), ())
    absent = [name for name in wanted if name not in known]
    if not known or not wanted:
        yield ok("cpu", f"{platform.machine()}; this system does not tell its instructions")
    elif absent:
        yield warning(
            "cpu",
            f"{platform.machine()} without {', '.join(absent)}: training and answers are slow, if they run",
            "use a machine with them; generation.policy = 'vetted' answers without a model",
        )
    else:
        narrow = [name for name in BFLOAT16 if name in known]
        yield ok(
            "cpu",
            f"{platform.machine()} with {', '.join(wanted)}; "
            + (f"bfloat16 by {', '.join(narrow)}" if narrow else "no bfloat16, so training takes longer"),
        )


def features() -> frozenset[str]:
    """The instructions that Linux lists of the first core; none elsewhere."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        name, _, listed = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(listed.split())
    return frozenset()


def room(settings: Settings) -> Iterator[Check]:
    """Memory and disk beside the forecast for the settings' own base and pairs."""
    if find_spec("torch") is None or find_spec("psutil") is None:
        yield warning(
            "memory and disk",
            "no forecast: the packages for training are not here",
            "pip install 'smallhours[train]', unless this machine only serves",
        )
        return
    from smallhours.bootstrap.planning import plan
    from smallhours.train.planner import MEMORY_FACTORS, gigabytes

    found = plan(settings)
    machine = found.machine
    ours = next(one for one in found.forecasts if one.name == found.chosen)
    train = max(ours.train_memory, ours.evaluate_memory)
    disk = min(machine.disk, free_disk(settings.runs))
    said = (
        f"{gigabytes(machine.available)} memory available, {gigabytes(disk)} disk free; "
        f"a run of '{ours.name}' takes {gigabytes(train)} and {gigabytes(ours.disk)}, "
        f"serving it {gigabytes(ours.serve_memory)}"
    )
    if MEMORY_FACTORS[0] * ours.serve_memory > machine.available:
        yield error("memory and disk", said, "close other programs, or lower serve.parallel or serve.context")
    elif ours.fit != "fits" or disk < ours.disk:
        yield warning("memory and disk", said, "close other programs, free disk; 'smallhours plan' says more")
    else:
        yield ok("memory and disk", said)


def free_disk(folder: Path) -> int:
    """Bytes free where a folder is, or would be."""
    return shutil.disk_usage(next(p for p in (folder, *folder.absolute().parents) if p.exists())).free
