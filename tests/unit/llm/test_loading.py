"""The type a CPU is fast at is measured; the cache is where one says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from smallhours.llm import loading
from smallhours.llm.machine import Rates


def test_a_named_type_is_taken_as_it_is() -> None:
    assert loading.choose_dtype("bfloat16") is torch.bfloat16
    assert loading.choose_dtype("float32") is torch.float32


@pytest.mark.parametrize(
    ("rates", "faster"), [(Rates(190, 430), torch.bfloat16), (Rates(190, 6), torch.float32)]
)
def test_auto_takes_the_faster(monkeypatch: pytest.MonkeyPatch, rates: Rates, faster: torch.dtype) -> None:
    monkeypatch.setattr(loading, "matrix_rates", lambda device: rates)
    assert loading.choose_dtype("auto") is faster


def test_the_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SMALLHOURS_CACHE", str(tmp_path))
    assert loading.cache_folder() == tmp_path
