"""A byte-level BPE tokenizer as GGUF metadata.

Read from the tokenizer as transformers loads it, not from its files: what is written is what training saw,
and old repositories that bring ``vocab.json`` and ``merges.txt`` alone work, too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from smallhours.domain.errors import RunError
from smallhours.export.gguf_layout import REMEDY

# How llama.cpp calls the ways to cut text before merging, by the pattern that the tokenizer cuts with.
_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
_PATTERNS = {_QWEN2: "qwen2", _QWEN2.replace(r"\p{N}|", r"\p{N}{1,3}|", 1): "llama-bpe"}
PRE_TOKENIZERS = ("gpt-2", "smollm", "qwen2", "llama-bpe")


def add_vocabulary(writer: Any, tokenizer: Any, size: int, folder: Path, pre_tokenizer: str | None) -> None:
    """Write tokens, types, merges, special tokens and the chat template into a ``gguf.GGUFWriter``.

    Args:
        size: rows of the embedding; ids without a token are filled with unused ones.
        folder: named in errors.
        pre_tokenizer: llama.cpp's name for how text is cut; ``None``: recognized from the tokenizer.

    Raises:
        RunError: no byte-level BPE, no end token, a way to cut text that has no name here, or more
            tokens than rows.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    spec = json.loads(backend.to_str()) if backend is not None else {}
    if spec.get("model", {}).get("type") != "BPE" or "ByteLevel" not in _kinds(spec):
        raise RunError(
            f"{folder}: its tokenizer is no byte-level BPE, the only kind written as GGUF here; {REMEDY}"
        )
    if tokenizer.eos_token_id is None:
        raise RunError(f"{folder}: its tokenizer has no end token (eos_token), so no answer would ever end")
    texts, types = _tokens(spec, size, folder)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer or _pre_tokenizer(spec, folder))
    writer.add_token_list(texts)
    writer.add_token_types(types)
    writer.add_token_merges([_merge(pair) for pair in spec["model"]["merges"]])
    for kind in ("bos", "eos", "unk", "pad"):
        number = getattr(tokenizer, f"{kind}_token_id")
        if number is not None:
            getattr(writer, f"add_{kind}_token_id")(number)
    writer.add_add_bos_token(False)  # our prompts are whole: what begins them stands in them, as in training
    if isinstance(tokenizer.chat_template, str):
        writer.add_chat_template(tokenizer.chat_template)


def _tokens(spec: dict[str, Any], size: int, folder: Path) -> tuple[list[str], list[int]]:
    """Text and type of every id below ``size``."""
    from gguf import TokenType

    texts = [f"[PAD{number}]" for number in range(size)]
    types = [int(TokenType.UNUSED)] * size
    vocabulary = spec["model"]["vocab"]
    added = spec["added_tokens"]
    highest = max([*vocabulary.values(), *(token["id"] for token in added)])
    if highest >= size:
        raise RunError(
            f"{folder}: the tokenizer has a token {highest}, the embedding has {size} rows; "
            "tokenizer and weights belong to different models"
        )
    for text, number in vocabulary.items():
        texts[number], types[number] = text, int(TokenType.NORMAL)
    for token in added:
        kind = TokenType.CONTROL if token["special"] else TokenType.USER_DEFINED
        texts[token["id"]], types[token["id"]] = token["content"], int(kind)
    return texts, types


def _merge(pair: str | list[str]) -> str:
    return pair if isinstance(pair, str) else " ".join(pair)


def _parts(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of the pre-tokenizer, a sequence taken apart."""
    step = spec.get("pre_tokenizer") or {}
    parts: list[dict[str, Any]] = step.get("pretokenizers", [step] if step else [])
    return parts


def _kinds(spec: dict[str, Any]) -> list[str]:
    return [part["type"] for part in _parts(spec)]


def _pre_tokenizer(spec: dict[str, Any], folder: Path) -> str:
    """llama.cpp's name of this pre-tokenizer."""
    match _parts(spec):
        case [{"type": "ByteLevel", "use_regex": True, "add_prefix_space": False}]:
            return "gpt-2"
        case [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "use_regex": True, "add_prefix_space": False},
        ]:
            return "smollm"
        case [
            {"type": "Split", "pattern": {"Regex": pattern}},
            {"type": "ByteLevel", "use_regex": False, "add_prefix_space": False},
        ] if pattern in _PATTERNS:
            return _PATTERNS[pattern]
    raise RunError(
        f"{folder}: the way its tokenizer cuts text ({' + '.join(_kinds(spec)) or 'none'}) has no name here; "
        f"known are: {', '.join(PRE_TOKENIZERS)}; {REMEDY}"
    )
