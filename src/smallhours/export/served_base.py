"""Which GGUF file serves a base: the one it comes as, one beside its weights, or one made from them and kept.

The made file is kept by the hash of the weights that it was made from: a machine that has it needs neither
those weights, nor torch, nor the hub.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from smallhours.domain.artifacts import explained_disk_errors
from smallhours.export.gguf_layout import ARCHITECTURES, REMEDY
from smallhours.llm.base import Folder, Packaged
from smallhours.llm.catalog import find_base
from smallhours.llm.loading import cache_folder, unpack

# Writes the model of a folder to a GGUF file.
Convert = Callable[[Path, Path], object]


def _convert(folder: Path, target: Path) -> None:
    from smallhours.export.base_gguf import convert_base

    convert_base(folder, target)


def serving_caution(name: str) -> str | None:
    """What to say before a training whose result cannot be served as things stand; ``None``: it can.

    Raises:
        InputError: no such base, or its files are missing or damaged.
    """
    base = find_base(name)
    if isinstance(base.source, Packaged) or base.shape.architecture in ARCHITECTURES:
        return None
    if isinstance(base.source, Folder) and len(list(base.source.path.glob("*.gguf"))) == 1:
        return None
    return (
        f"base '{name}' can be trained, but neither evaluated nor served yet: the architecture "
        f"'{base.shape.architecture}' is not written as GGUF here; {REMEDY}"
    )


def served_gguf(name: str, identity: str, convert: Convert = _convert) -> Path:
    """The GGUF file to serve the base called ``name`` from; ``identity`` is its ``Base.identity``.

    Raises:
        InputError: no such base, or its files are missing or damaged.
        RunError: llama.cpp has no counterpart for this architecture or tokenizer.
        ResourceError: the disk is full, or a package or the hub is out of reach.
    """
    made = cache_folder() / "bases" / f"{identity[:16]}.gguf"
    if made.is_file():
        return made
    base = find_base(name)
    if isinstance(base.source, Packaged):
        return base.weights()
    folder = unpack(base)
    if len(beside := list(folder.glob("*.gguf"))) == 1:
        return beside[0]
    with explained_disk_errors(made):
        made.parent.mkdir(parents=True, exist_ok=True)
    convert(folder, made)
    return made
