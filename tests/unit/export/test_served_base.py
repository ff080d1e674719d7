"""One GGUF file serves a base; what has to be made is made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smallhours.export.served_base import served_gguf, serving_caution
from smallhours.llm.catalog import EMBEDDED, find_base
from tests.unit.llm.tiny_bases import TEMPLATES, save_base


def test_the_embedded_base_serves_itself() -> None:
    assert served_gguf("embedded", EMBEDDED.identity()) == EMBEDDED.weights()


def test_a_file_beside_the_weights_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = save_base(tmp_path, TEMPLATES["dialogpt: turns and their end"])
    (folder / "by-hand.gguf").write_bytes(b"GGUF")
    assert served_gguf(str(folder), find_base(str(folder)).identity()) == folder / "by-hand.gguf"


def test_a_folder_is_converted_once_and_then_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALLHOURS_CACHE", str(tmp_path / "cache"))
    folder = save_base(tmp_path / "my model", TEMPLATES["dialogpt: turns and their end"])
    identity = find_base(str(folder)).identity()
    converted: list[Path] = []

    def convert(source: Path, target: Path) -> None:
        converted.append(source)
        target.write_bytes(b"GGUF")

    first = served_gguf(str(folder), identity, convert)
    shutil.rmtree(folder)
    assert served_gguf(str(folder), identity, convert) == first
    assert converted == [folder] and first.parent == tmp_path / "cache" / "bases"


def test_a_base_that_cannot_be_served_is_told_before_it_is_trained() -> None:
    assert serving_caution("embedded") is None and serving_caution("microsoft/DialoGPT-medium") is None
    said = serving_caution("google/gemma-3-1b-it")
    assert said is not None and "gemma3_text" in said and ".gguf" in said
