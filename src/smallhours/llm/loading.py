"""Base and adapter into a torch model.

transformers can read a GGUF file but then refuses to save the model, and reads it slowly. So a base that
comes as GGUF is unpacked once into a plain folder in the user's cache, keyed by the hash of the GGUF file.
"""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from smallhours.domain.artifacts import explained_disk_errors, hash_file
from smallhours.llm.base import TEMPLATE, Base
from smallhours.llm.chat_format import ChatFormat, chat_format
from smallhours.llm.checks import require_memory
from smallhours.llm.machine import free_memory, matrix_rates
from smallhours.llm.template import format_from_template

if TYPE_CHECKING:
    import torch

Dtype = Literal["auto", "bfloat16", "float32"]


def cache_folder() -> Path:
    """``$SMALLHOURS_CACHE``, else the platform's cache folder."""
    chosen = os.environ.get("SMALLHOURS_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "smallhours"


def unpack(base: Base) -> Path:
    """The folder with the base as transformers reads it: config, tokenizer, weights.

    Raises:
        InputError: its files are missing or cut short, or its licence was not accepted.
        ResourceError: no space, the hub is out of reach, or the weights are not installed.
    """
    return base.folder() or _unpack_gguf(base)


def _unpack_gguf(base: Base) -> Path:
    """The weights of a GGUF file as float32, unpacked once."""
    source = base.weights()
    target = cache_folder() / "bases" / f"{base.name}-{hash_file(source)[:16]}"
    if (target / "complete").is_file():
        return target
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    with explained_disk_errors(target):
        partial.mkdir(parents=True, exist_ok=True)
        try:
            _write_plain_model(source, partial)
            (partial / "complete").touch()
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return target


def _write_plain_model(source: Path, folder: Path) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    silence_transformers()
    where = {"pretrained_model_name_or_path": str(source.parent), "gguf_file": source.name}
    AutoTokenizer.from_pretrained(**where).save_pretrained(folder)
    loaded = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    config = AutoConfig.from_pretrained(**where)
    with torch.device("meta"):
        plain = type(loaded)(config)
    plain.load_state_dict(loaded.state_dict(), assign=True)
    plain.tie_weights()
    plain.save_pretrained(folder)


def load_tokenizer(base: Base) -> Any:
    """The base's tokenizer."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(unpack(base), local_files_only=True)


def load_chat_format(base: Base) -> ChatFormat:
    """How the base writes a conversation: a format we know by name, or the tokenizer's own template.

    Raises:
        InputError: the template cannot be taken apart.
    """
    if base.chat_format != TEMPLATE:
        return chat_format(base.chat_format)
    return format_from_template(load_tokenizer(base), base.name)


def load_model(base: Base, dtype: torch.dtype, adapter: Path | None = None, quantization: Any = None) -> Any:
    """The base in ``dtype``, frozen, with an adapter on top if one is given.

    Its attention is :mod:`smallhours.llm.packing`'s, and its own dropout is off: nothing in it learns.
    ``quantization``: a configuration of transformers'; the model is then put on the GPU.

    Raises:
        ResourceError: its weights alone take more memory than is free.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from smallhours.llm.packing import ATTENTION, register_attention

    if quantization is None:
        # Each process that a launcher started on this host loads a base of its own at the same time.
        available = free_memory() // int(os.environ.get("LOCAL_WORLD_SIZE", 1))
        require_memory(base.name, base.shape, str(dtype).removeprefix("torch."), available)
    silence_transformers()
    register_attention()
    options = (
        {}
        if quantization is None
        else {"quantization_config": quantization, "device_map": {"": torch.cuda.current_device()}}
    )
    model = AutoModelForCausalLM.from_pretrained(
        unpack(base), dtype=dtype, local_files_only=True, attn_implementation=ATTENTION, **options
    )
    model.requires_grad_(False)
    for layer in model.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0
    if adapter is not None:
        from peft import PeftModel

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            model = PeftModel.from_pretrained(model, adapter)
    model.eval()
    return model


def silence_transformers() -> None:
    """Its progress bars and advice would stand between a person and our own."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def choose_dtype(wanted: Dtype) -> torch.dtype:
    """``auto`` measures: some CPUs multiply bfloat16 several times faster, others tens of times slower."""
    import torch

    dtype: torch.dtype = getattr(torch, matrix_rates("cpu").fastest if wanted == "auto" else wanted)
    return dtype
