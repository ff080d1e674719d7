"""Reads float32 tensors of a safetensors file where they lie.

The layout (https://github.com/huggingface/safetensors): eight bytes that hold the header's length, the header
as JSON, the data. The package of that name would copy the embeddings of all words into memory, of which a
text needs a few.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smallhours.domain.errors import ResourceError

Floats = NDArray[np.float32]


class Tensors:
    """The tensors of one file by name. Raises ResourceError where the file or a tensor cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                self._header: dict[str, Any] = json.loads(file.read(size))
        except (OSError, ValueError, MemoryError, OverflowError) as error:
            raise ResourceError(
                f"{path}: cannot be read as safetensors ({error}); install it again"
            ) from error
        self._begin = 8 + size

    def read(self, name: str) -> Floats:
        """A copy in memory."""
        offset, shape = self._place(name)
        count = int(np.prod(shape))
        found = np.fromfile(self._path, dtype="<f4", count=count, offset=offset)
        if len(found) != count:
            raise ResourceError(f"{self._path}: {name} is cut short; install it again")
        return found.reshape(shape)

    def mapped(self, name: str) -> Floats:
        """A view of the file: only the rows that are touched come into memory."""
        offset, shape = self._place(name)
        try:
            found = np.memmap(self._path, dtype="<f4", mode="r", offset=offset, shape=shape)
        except (OSError, ValueError) as error:
            raise ResourceError(f"{self._path}: {name} is cut short; install it again") from error
        return found.view(np.ndarray)

    def _place(self, name: str) -> tuple[int, tuple[int, ...]]:
        about = self._header.get(name)
        if about is None or about["dtype"] != "F32":
            raise ResourceError(f"{self._path}: no float32 tensor {name}; this is not the file expected here")
        return self._begin + about["data_offsets"][0], tuple(about["shape"])
