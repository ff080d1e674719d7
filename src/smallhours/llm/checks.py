"""What can be said about a base's files before any of them is loaded.

Only headers and small JSON files are read. Not covered: weights in PyTorch's own format (``.bin``) that
were cut short; safetensors files say how long they are, those do not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smallhours.domain.errors import InputError, ResourceError
from smallhours.llm.shape import Shape, shape_from_config

CAUSAL = ("ForCausalLM", "LMHeadModel")
SAFETENSORS, PICKLED = "model*.safetensors", "pytorch_model*.bin"
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_LFS_POINTER = b"version https://git-lfs"


def read_json(path: Path, base: str) -> dict[str, Any]:
    """A JSON object from a base's folder. Raises InputError if it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"base '{base}': {path} is missing; a base is a folder as transformers saves it, with "
            "config.json, weights and a tokenizer"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"base '{base}': {path} cannot be read ({error}); fetch the base again") from None
    if not isinstance(found, dict):
        raise InputError(f"base '{base}': {path} holds no JSON object; fetch the base again")
    return found


def check_config(config: Mapping[str, Any], base: str) -> Shape:
    """The shape of a causal language model. Raises InputError for any other kind of model."""
    classes = [str(name) for name in config.get("architectures") or ()]
    if classes and not any(name.endswith(CAUSAL) for name in classes):
        raise InputError(
            f"base '{base}': {', '.join(classes)} is not a causal language model, so it cannot answer; "
            "take a model whose config.json names a class ending in 'ForCausalLM'"
        )
    try:
        return shape_from_config(config)
    except InputError as error:
        raise InputError(f"base '{base}': {error}") from None


def has_chat_template(folder: Path, base: str) -> bool:
    """Whether a folder's tokenizer comes with a chat template."""
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    settings = folder / "tokenizer_config.json"
    return settings.is_file() and bool(read_json(settings, base).get("chat_template"))


def weight_files(folder: Path) -> list[Path]:
    """The files with a folder's weights, safetensors before PyTorch's own format; none if there are none."""
    return sorted(folder.glob(SAFETENSORS)) or sorted(folder.glob(PICKLED))


def check_weights(folder: Path, base: str) -> None:
    """Raises InputError unless all the weights are there, each file as long as it says."""
    for index in (folder / name for name in _INDEXES):
        if not index.is_file():
            continue
        shards = sorted(set(read_json(index, base).get("weight_map", {}).values()))
        missing = [shard for shard in shards if not (folder / shard).is_file()]
        if missing:
            raise InputError(
                f"base '{base}': half downloaded: {len(missing)} of the {len(shards)} files that "
                f"{index.name} lists are missing, {missing[0]} first; fetch it again"
            )
    files = weight_files(folder)
    if not files:
        raise InputError(
            f"base '{base}': {folder} holds no weights ({SAFETENSORS} or {PICKLED}); fetch it again"
        )
    for file in files:
        _check_length(file, base)


def _check_length(file: Path, base: str) -> None:
    """Compare a safetensors file's size with what its header promises."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        if stream.read(len(_LFS_POINTER)) == _LFS_POINTER:
            raise InputError(
                f"base '{base}': {file} is a Git LFS pointer, not the weights; run 'git lfs pull' there"
            )
    if file.suffix != ".safetensors" and size:
        return
    promised = _promised_length(file, size)
    if promised != size:
        least = "more than that" if promised is None else f"{promised:,} bytes"
        raise InputError(
            f"base '{base}': half downloaded: {file} has {size:,} bytes and its header promises {least}; "
            "fetch it again"
        )


def _promised_length(file: Path, size: int) -> int | None:
    """Bytes by a safetensors header: 8 of length (little-endian), JSON, tensors; None if it is cut short."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > size - 8:
            return None
        try:
            header = json.loads(stream.read(length))
            ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
            return 8 + length + int(max(ends, default=0))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return None


def require_memory(base: str, shape: Shape, dtype: str, available: int) -> None:
    """Raises ResourceError if the weights alone do not fit into ``available`` bytes of memory."""
    need = shape.weight_bytes(dtype)
    if need > available:
        raise ResourceError(
            f"base '{base}': its {shape.parameters / 1e6:,.0f} million weights take {need / 1e9:.1f} GB in "
            f"{dtype}, and {available / 1e9:.1f} GB of memory are free. Take a smaller base ('smallhours "
            "plan' shows which ones fit), close other programs, or use a larger machine"
        )
