"""A finished run around a tiny base: real tokenizer, architecture and LoRA, random and loud weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from smallhours.domain.artifacts import hash_file, staged_folder
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example, write_examples
from smallhours.domain.settings import Settings, load_settings
from smallhours.llm.catalog import find_base
from tests.unit.llm.tiny_bases import TEMPLATES, save_base

SAID = (
    "I cannot sleep and my chest is tight.",
    "What helps at night? I've tried 3 things…",
    "Still here?\nRest is hard.",
    "naïve café, 😀 and ‘quotes’",
)
ANSWERS = (
    "That sounds hard. Breathing slowly may help you.",
    "Be kind. Rest.",
    "Naming what you see – 😀 – helps.",
)
WHOLE = {"export.quantization": "f32", "export.dtype": "float32", "export.prompts": 6, "export.answers": 3}


class NoVectors:
    """An encoder that says nothing, at once."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.zeros((len(texts), 4), dtype=np.float32)


def finished_run(folder: Path, kind: str, template: str, **flags: Any) -> Settings:
    """Dataset, adapter and a passing verdict, around a base of the architecture ``kind``."""
    # transformers gives Qwen's tokenizers an end of their own beside ours: one row more.
    more = {"qwen2": {"vocab_size": 400}, "qwen3": {"head_dim": 16}}.get(kind, {})
    base = save_base(folder / "base", TEMPLATES[template], kind, initializer_range=0.3, **more)
    settings = load_settings(
        None, {}, {"base": str(base), "runs": str(folder / "runs"), "name": "tiny", **WHOLE, **flags}
    )
    write_dataset(settings.run_folder / "dataset")
    write_adapter(settings, base, kind)
    judge(settings)
    return settings


def write_dataset(target: Path) -> None:
    turns = [[(q, ANSWERS[n % len(ANSWERS)])] for n, q in enumerate(SAID)]
    turns.append([(SAID[0], ANSWERS[1]), (SAID[2], ANSWERS[0])])
    examples = [example(f"e{n}", one) for n, one in enumerate(turns)]
    with staged_folder(target, stage="dataset", inputs={}, config={}, seed=0, figures={}) as folder:
        parts = {"train": examples[:1], "validation": examples[1:2], "test": examples[2:], "pairs": examples}
        for name, some in parts.items():
            write_examples(folder / f"{name}.jsonl", some)
        (folder / "vetted.jsonl").touch()


def example(name: str, turns: Sequence[tuple[str, str]]) -> Example:
    said = [
        message
        for question, answer in turns
        for message in (
            Message(role=Role.USER, content=question),
            Message(role=Role.ASSISTANT, content=answer),
        )
    ]
    return Example(id=name, messages=tuple(said))


def write_adapter(settings: Settings, base: Path, kind: str) -> None:
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    config = peft.LoraConfig(
        r=4, lora_alpha=6, target_modules=list(find_base(str(base)).lora_targets),
        fan_in_fan_out=kind == "gpt2", task_type="CAUSAL_LM",
    )  # fmt: skip
    torch.manual_seed(2)
    model = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.normal_(std=0.2)
    prompt = {"system_prompt": settings.train.system_prompt}
    target = settings.run_folder / "adapter"
    with staged_folder(target, stage="train", inputs={}, config=prompt, seed=0, figures={}) as folder:
        model.save_pretrained(folder)


def judge(settings: Settings, *, passed: bool = True) -> None:
    """A verdict about the weights as they are."""
    weights = hash_file(settings.run_folder / "adapter" / "adapter_model.safetensors")
    lines = [] if passed else [{"name": "crisis_recall", "pass": False}]
    verdict = {"pass": passed, "weights": weights, "policy": "p", "lines": lines}
    target = settings.run_folder / "evaluation"
    with staged_folder(target, stage="evaluate", inputs={}, config={}, seed=0, figures={}) as folder:
        (folder / "verdict.json").write_text(json.dumps(verdict))
