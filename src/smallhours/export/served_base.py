"""Which GGUF file serves a base: the one it comes as, one beside its weights, or one made from them and kept.

The made file is kept by the hash of the weights that it was made from, so a machine that has it needs neither
those weights nor torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from smallhours.domain.artifacts import explained_disk_errors
from smallhours.llm.base import Base, Folder, Packaged
from smallhours.llm.loading import cache_folder, unpack

# Writes the model of a folder to a GGUF file.
Convert = Callable[[Path, Path], object]


def _convert(folder: Path, target: Path) -> None:
    from smallhours.export.base_gguf import convert_base

    convert_base(folder, target)


def served_gguf(base: Base, identity: str, convert: Convert = _convert) -> Path:
    """The GGUF file to serve ``base`` from; ``identity`` is the hash of its weights (``Base.identity``).

    Raises:
        InputError: the base's files are missing or damaged.
        RunError: llama.cpp has no counterpart for this architecture or tokenizer.
        ResourceError: the disk is full, or a package or the hub is out of reach.
    """
    if isinstance(base.source, Packaged):
        return base.weights()
    if isinstance(base.source, Folder) and len(beside := list(base.source.path.glob("*.gguf"))) == 1:
        return beside[0]
    name = re.sub(r"[^\w.-]+", "-", base.title)
    target = cache_folder() / "bases" / f"{name}-{identity[:16]}.gguf"
    if not target.is_file():
        folder = unpack(base)
        with explained_disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        convert(folder, target)
    return target
