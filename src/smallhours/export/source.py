"""What is exported: a finished run, its hashes, and the model that its targets are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from smallhours.domain.artifacts import hash_file, require_manifest
from smallhours.domain.errors import RefusedError
from smallhours.domain.settings import ExportSettings, Settings
from smallhours.llm.base import Base
from smallhours.llm.catalog import find_base
from smallhours.llm.chat_format import ChatFormat
from smallhours.llm.loading import load_chat_format

WEIGHTS = "adapter_model.safetensors"


@dataclass(frozen=True)
class Source:
    """What is exported. The merged model is made when it is first asked for, and once."""

    base: Base
    adapter: Path
    form: ChatFormat
    system_prompt: str
    options: ExportSettings
    sampling: Mapping[str, Any]
    inputs: Mapping[str, str]

    @classmethod
    def of(cls, settings: Settings) -> Source:
        """The run of ``settings``.

        Raises:
            RunError: an earlier stage is missing or damaged.
            RefusedError: the weights are not the ones that were trained.
        """
        run, base = settings.run_folder, find_base(settings.base)
        dataset = require_manifest(run / "dataset", "smallhours corpus build")
        adapter = require_manifest(run / "adapter", "smallhours train")
        if hash_file(run / "adapter" / WEIGHTS) != adapter.files[WEIGHTS]:
            raise RefusedError(
                f"{run / 'adapter' / WEIGHTS}: changed after training; delete it and train again"
            )
        sampling = {
            "temperature": settings.generation.temperature,
            "top_p": settings.generation.top_p,
            "num_predict": settings.generation.max_tokens,
        }
        inputs = {
            "adapter": adapter.files[WEIGHTS],
            "pairs": dataset.files["pairs.jsonl"],
            "vetted": dataset.files["vetted.jsonl"],
            "base": base.identity(),
        }
        form, prompt = load_chat_format(base), str(adapter.config["system_prompt"])
        return cls(base, run / "adapter", form, prompt, settings.export, sampling, inputs)

    def described(self) -> dict[str, Any]:
        """Everything but the inputs that the package depends on, for its manifest."""
        return {
            "base": self.base.name,
            "chat_format": self.form.described(),
            "system_prompt": self.system_prompt,
            "export": self.options.model_dump(),
            "sampling": dict(self.sampling),
        }

    @property
    def gguf_name(self) -> str:
        """Name of the merged GGUF file."""
        return f"model-{self.options.quantization}.gguf"

    @cached_property
    def tokenizer(self) -> Any:
        """With the chat template of the trained format."""
        from smallhours.export.merge import exported_tokenizer

        return exported_tokenizer(self.base, self.form, self.system_prompt)

    @cached_property
    def merged(self) -> Any:
        """Base and adapter as one model in float32."""
        from smallhours.export.merge import merged_model

        return merged_model(self.base, self.adapter, self.form, self.tokenizer)
