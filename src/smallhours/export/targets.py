"""What a run can be exported to: how each target is written, and how it is opened to be proved.

Every target is a folder that stands alone: it can be moved to a machine without Smallhours.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smallhours.export.modelfile import Modelfile, write_modelfile
from smallhours.export.readme import readme
from smallhours.export.source import WEIGHTS, Source

if TYPE_CHECKING:
    from smallhours.export.parity.probe import Exported

ADAPTER_FILES = (WEIGHTS, "adapter_config.json")
MODELFILE = "Modelfile"


@dataclass(frozen=True)
class Target:
    """``write`` fills a folder; ``load`` opens it as somebody elsewhere would, for so many tokens."""

    write: Callable[[Source, Path], None]
    load: Callable[[Source, Path, int], Exported]


def _write_peft(source: Source, folder: Path) -> None:
    for name in ADAPTER_FILES:
        shutil.copy(source.adapter / name, folder / name)
    source.tokenizer.save_pretrained(folder)


def _load_peft(source: Source, folder: Path, _context: int) -> Exported:
    from smallhours.export.parity.in_transformers import InTransformers
    from smallhours.llm.loading import unpack

    return InTransformers.adapted(unpack(source.base), folder)


def _write_merged(source: Source, folder: Path) -> None:
    import copy

    import torch

    dtype = getattr(torch, source.options.dtype)
    model = source.merged if dtype == torch.float32 else copy.deepcopy(source.merged).to(dtype)
    model.save_pretrained(folder)
    source.tokenizer.save_pretrained(folder)


def _load_merged(_source: Source, folder: Path, _context: int) -> Exported:
    from smallhours.export.parity.in_transformers import InTransformers

    return InTransformers.merged(folder)


def _write_gguf(source: Source, folder: Path) -> None:
    from smallhours.export.base_gguf import write_model
    from smallhours.llm.loading import unpack

    write_model(
        source.merged,
        source.tokenizer,
        folder / source.gguf_name,
        unpack(source.base),
        kind=source.options.quantization,
    )


def _load_gguf(source: Source, folder: Path, context: int) -> Exported:
    from smallhours.export.parity.in_llamacpp import InLlamaCpp

    return InLlamaCpp(folder / source.gguf_name, None, None, context)


def _write_ollama(source: Source, folder: Path) -> None:
    made = folder.parent / "gguf" / source.gguf_name
    if made.is_file():
        link_or_copy(made, folder / source.gguf_name)
    else:
        _write_gguf(source, folder)
    text = write_modelfile(source.form, source.system_prompt, source.gguf_name, source.sampling)
    (folder / MODELFILE).write_text(text, encoding="utf-8")


def _load_ollama(_source: Source, folder: Path, context: int) -> Exported:
    from smallhours.export.parity.in_llamacpp import InLlamaCpp

    written = Modelfile.read((folder / MODELFILE).read_text(encoding="utf-8"))
    return InLlamaCpp(folder / written.weights, None, written.render, context)


TARGETS = {
    "gguf": Target(_write_gguf, _load_gguf),
    "ollama": Target(_write_ollama, _load_ollama),
    "merged": Target(_write_merged, _load_merged),
    "peft": Target(_write_peft, _load_peft),
}


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """The same file in two places, without its bytes twice where the disk allows that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def write_target(name: str, source: Source, folder: Path) -> None:
    """Fill ``folder`` with the target ``name`` and a page that says how to load it.

    Raises:
        RunError: this base or this adapter has no form there.
    """
    folder.mkdir()
    TARGETS[name].write(source, folder)
    (folder / "README.md").write_text(readme(name, source.base, source.gguf_name), encoding="utf-8")
