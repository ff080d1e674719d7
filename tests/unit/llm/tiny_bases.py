"""Bases made on the spot: a real tokenizer, real configurations of two layers, random weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

_TEXTS = (
    "I cannot sleep and my chest is tight. What helps at night?",
    "That sounds hard. Breathing slowly, and naming what you see, may help you through it.",
    "user assistant model system Be kind. Still here? Rest.",
)

# Written for these tests, each in the manner of one family; what differs between families is all there.
TURN = "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
TEMPLATES = {
    "chatml with a prompt of its own": (
        "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are a robot.<|im_end|>\n{% endif %}"
        "{% for m in messages %}" + TURN + "{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "llama 3: begins with <s>, trims, writes the date": (
        "{{ bos_token }}{% for m in messages %}<|header|>{{ m['role'] }}<|/header|>\n\n"
        "{% if m['role'] == 'system' %}Today: {{ strftime_now('%d %b %Y') }}\n\n{% endif %}"
        "{{ m['content'] | trim }}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}<|header|>assistant<|/header|>\n\n{% endif %}"
    ),
    "gemma 2: refuses a system prompt, says model": (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ bos_token }}"
        "{% for m in messages %}<|im_start|>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
        "{{ m['content'] | trim }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>model\n{% endif %}"
    ),
    "gemma 3: puts the system prompt into the first turn": (
        "{{ bos_token }}{% set ns = namespace(first='') %}{% set rest = messages %}"
        "{% if messages[0]['role'] == 'system' %}{% set ns.first = messages[0]['content'] + '\n\n' %}"
        "{% set rest = messages[1:] %}{% endif %}"
        "{% for m in rest %}<|im_start|>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
        "{{ ns.first if loop.first }}{{ m['content'] | trim }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>model\n{% endif %}"
    ),
    "qwen 3: the last answer begins with an empty thought": (
        "{% set ns = namespace(asked=0) %}{% for m in messages %}{% if m['role'] == 'user' %}"
        "{% set ns.asked = loop.index0 %}{% endif %}{% endfor %}"
        "{% for m in messages %}{% if m['role'] == 'assistant' and loop.index0 > ns.asked %}"
        "<|im_start|>assistant\n<think>\n\n</think>\n\n{{ m['content'] }}<|im_end|>\n"
        "{% else %}" + TURN + "{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% if not enable_thinking | default(true) %}"
        "<think>\n\n</think>\n\n{% endif %}{% endif %}"
    ),
    "llama 2: brackets, a space before the answer": (
        "{% set ns = namespace(sys='') %}{% for m in messages %}{% if m['role'] == 'system' %}"
        "{% set ns.sys = '<<SYS>>\n' + m['content'] + '\n<</SYS>>\n\n' %}"
        "{% elif m['role'] == 'user' %}{{ bos_token }}[INST] {{ ns.sys }}{{ m['content'] }} [/INST]"
        "{% set ns.sys = '' %}{% else %} {{ m['content'] }}<|im_end|>{% endif %}{% endfor %}"
    ),
    "dialogpt: turns and their end": "{% for m in messages %}{{ m['content'] }}<|im_end|>{% endfor %}",
}
SPECIAL = ("<s>", "<|im_start|>", "<|im_end|>", "<|header|>", "<|/header|>")


@cache
def _bpe() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(_TEXTS, trainer)
    return bpe.to_str()


def tokenizer(template: str | None) -> Any:
    """A byte-level BPE tokenizer with a chat template; it would add ``<s>`` by itself if it were asked to."""
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer.from_str(_bpe())
    bpe.add_tokens([AddedToken("<think>", special=False), AddedToken("</think>", special=False)])
    bpe.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    made = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", eos_token="<|im_end|>")
    made.chat_template = template
    return made


def save_base(folder: Path, template: str | None, model_type: str = "llama", **changes: Any) -> Path:
    """A folder as transformers saves it: two layers, random weights, the tokenizer above."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    made = tokenizer(template)
    sizes: dict[str, Any] = {
        "num_hidden_layers": 2,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": len(made),
        "max_position_embeddings": 256,
        "bos_token_id": made.bos_token_id,
        "eos_token_id": made.eos_token_id,
    }
    torch.manual_seed(int(changes.pop("seed", 0)))
    config = AutoConfig.for_model(model_type, **{**sizes, **changes})
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    made.save_pretrained(folder)
    return folder
