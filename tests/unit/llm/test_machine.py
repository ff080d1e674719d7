"""The machine is measured, and a container's limits are respected."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhours.llm import machine
from smallhours.llm.machine import MemoryLimit, Rates, matrix_rates, measure_machine, memory_limits

GIGA = 1_000_000_000


def group(folder: Path, version: int, limit: str, used: int, idle_files: int) -> None:
    """A control group's files, as the kernel shows them."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")}
    most, usage, cached = names.get(version, ("memory.max", "memory.current", "inactive_file"))
    (folder / most).write_text(f"{limit}\n", encoding="ascii")
    (folder / usage).write_text(f"{used}\n", encoding="ascii")
    (folder / "memory.stat").write_text(f"anon 5\n{cached} {idle_files}\n", encoding="ascii")


def own(folder: Path, text: str) -> Path:
    path = folder / "own"
    path.write_text(text, encoding="ascii")
    return path


def test_limits_of_cgroup_2_are_read_up_to_the_root(tmp_path: Path) -> None:
    mounted = tmp_path / "cgroup"
    group(mounted / "slice/job", 2, str(4 * GIGA), 3 * GIGA, 1 * GIGA)
    group(mounted / "slice", 2, str(9 * GIGA), 5 * GIGA, 0)
    group(mounted, 2, "max", 20 * GIGA, 0)
    found = list(memory_limits(mounted, own(tmp_path, "0::/slice/job\n")))
    assert found == [MemoryLimit(4 * GIGA, 2 * GIGA), MemoryLimit(9 * GIGA, 5 * GIGA)]


def test_limits_of_cgroup_1_are_read_from_its_memory_controller(tmp_path: Path) -> None:
    mounted = tmp_path / "cgroup"
    group(mounted / "memory/job", 1, str(2 * GIGA), GIGA, 0)
    group(mounted / "memory", 1, "9223372036854771712", GIGA, 0)
    text = "9:cpu,cpuacct:/job\n4:memory:/job\n"
    assert list(memory_limits(mounted, own(tmp_path, text))) == [MemoryLimit(2 * GIGA, GIGA)]


def test_a_container_that_sees_its_group_at_the_root_is_limited_too(tmp_path: Path) -> None:
    mounted = tmp_path / "cgroup"
    group(mounted, 2, str(GIGA), 0, 0)
    text = "0::/docker/9f3c\n"
    assert list(memory_limits(mounted, own(tmp_path, text))) == [MemoryLimit(GIGA, 0)]


@pytest.mark.parametrize("text", ["", "0::/\n", "4:memory:/gone\n"])
def test_no_group_is_no_limit(text: str, tmp_path: Path) -> None:
    assert list(memory_limits(tmp_path / "cgroup", own(tmp_path, text))) == []


def test_outside_linux_there_is_no_limit(tmp_path: Path) -> None:
    assert list(memory_limits(tmp_path, tmp_path / "no such file")) == []


@pytest.mark.parametrize(
    ("rates", "fastest"),
    [(Rates(190, 430), "bfloat16"), (Rates(190, 6), "float32"), (Rates(190, 190), "float32")],
)
def test_the_type_that_multiplies_faster_is_known(rates: Rates, fastest: str) -> None:
    assert rates.fastest == fastest
    assert rates.of("float32") == rates.float32
    assert rates.of("bfloat16") == rates.bfloat16


def test_a_rate_is_operations_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_product_seconds", lambda dtype, device, size: 0.004)
    assert machine._matrix_rate("float32", "cpu") == pytest.approx(2 * 1024**3 / 0.004 / 1e9)


def test_a_slow_type_is_not_tried_on_larger_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def slow(dtype: str, device: str, size: int) -> float:
        tried.append(size)
        return 0.1

    monkeypatch.setattr(machine, "_product_seconds", slow)
    assert machine._matrix_rate("bfloat16", "cpu") == pytest.approx(2 * 256**3 / 0.1 / 1e9)
    assert tried == [256]


def test_this_machine_is_measured_once(tmp_path: Path) -> None:
    found = measure_machine(tmp_path / "not" / "there yet")
    assert found.cores >= 1
    assert 0 < found.available <= found.memory
    assert found.disk > 0
    assert found.rates.float32 > 0.1 and found.rates.bfloat16 > 0
    assert matrix_rates("cpu") is found.rates
