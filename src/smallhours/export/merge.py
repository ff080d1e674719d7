"""The adapter worked into the base's weights, and the tokenizer and settings that go with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from smallhours.domain.errors import RunError
from smallhours.export.chat_template import jinja_template
from smallhours.llm.base import Base
from smallhours.llm.chat_format import ChatFormat
from smallhours.llm.checks import require_memory
from smallhours.llm.loading import load_tokenizer, silence_transformers, unpack
from smallhours.llm.machine import free_memory


def merged_model(base: Base, adapter: Path, form: ChatFormat, tokenizer: Any) -> Any:
    """Base and adapter as one plain transformers model in float32 that ends at the format's end token.

    Raises:
        ResourceError: it takes more memory than is free.
        RunError: the adapter holds values that are no numbers.
    """
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, GenerationConfig

    require_memory(base.name, base.shape, "float32", free_memory())
    model = AutoModelForCausalLM.from_pretrained(unpack(base), dtype=torch.float32, local_files_only=True)
    try:
        model = PeftModel.from_pretrained(model, adapter).merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise RunError(f"{adapter}: cannot be merged into its base: {error}; train again") from None
    ends = _ending_ids(model, tokenizer, form)
    model.config.eos_token_id = ends[0]
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=ends, pad_token_id=tokenizer.pad_token_id
    )
    return model


def _ending_ids(model: Any, tokenizer: Any, form: ChatFormat) -> list[int]:
    """The format's end token first, then whatever else ended the base's answers."""
    known = model.generation_config.eos_token_id
    others = known if isinstance(known, list) else [known]
    return list(dict.fromkeys([tokenizer.convert_tokens_to_ids(form.end), *filter(None, others)]))


def exported_tokenizer(base: Base, form: ChatFormat, system_prompt: str) -> Any:
    """The base's tokenizer, with the trained way to write a conversation and the trained end."""
    silence_transformers()
    tokenizer = load_tokenizer(base)
    tokenizer.chat_template = jinja_template(form, system_prompt)
    tokenizer.eos_token = form.end
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = form.end
    return tokenizer
