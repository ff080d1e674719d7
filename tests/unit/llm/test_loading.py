"""The type a CPU is fast at is measured; the cache is where one says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from smallhours.llm import loading


def test_a_named_type_is_taken_as_it_is() -> None:
    assert loading.choose_dtype("bfloat16") is torch.bfloat16
    assert loading.choose_dtype("float32") is torch.float32


@pytest.mark.parametrize(
    ("faster", "slower"), [(torch.bfloat16, torch.float32), (torch.float32, torch.bfloat16)]
)
def test_auto_takes_the_faster(
    monkeypatch: pytest.MonkeyPatch, faster: torch.dtype, slower: torch.dtype
) -> None:
    monkeypatch.setattr(loading, "_matmul_seconds", lambda dtype: {faster: 1.0, slower: 2.0}[dtype])
    assert loading.choose_dtype("auto") is faster


def test_the_probe_measures_something() -> None:
    assert 0 < loading._matmul_seconds(torch.float32, size=32, rounds=1) < 5


def test_the_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SMALLHOURS_CACHE", str(tmp_path))
    assert loading.cache_folder() == tmp_path
