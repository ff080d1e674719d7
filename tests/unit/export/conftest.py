"""Models small enough to make in a test: real architectures, random weights, their kind of tokenizer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from smallhours.export.gguf_vocab import _QWEN2
from smallhours.llm.engines.llama_server import LlamaOptions, open_server

VOCABULARY = 400
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
}  # fmt: skip
TEXT = (
    "i cant sleep again and it's 2:47, don't know why",
    "My chest gets tight before meetings; I've had 15 of them.",
    "Breathe out slowly. You don't have to fix it tonight\n\n- rest  now",
    "naïve café, straße, Ünal, 12345 €",
)


def split_by(pattern: str) -> Any:
    from tokenizers import Regex, pre_tokenizers

    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def pre_tokenizer(name: str) -> Any:
    """What the models of this family cut text with."""
    from tokenizers import pre_tokenizers

    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return {
        "gpt-2": lambda: byte_level,
        "smollm": lambda: pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), byte_level]
        ),
        "qwen2": lambda: split_by(_QWEN2),
        "llama-bpe": lambda: split_by(_QWEN2.replace(r"\p{N}|", r"\p{N}{1,3}|", 1)),
    }[name]()


def tokenizer(name: str) -> Any:
    """A byte-level BPE tokenizer of fewer than ``VOCABULARY`` tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE(ignore_merges=name == "llama-bpe"))
    bpe.pre_tokenizer = pre_tokenizer(name)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - 20,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    bpe.train_from_iterator(TEXT * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|endoftext|>")


def tiny_config(kind: str) -> Any:
    """A configuration of three layers; ``llama3`` is a Llama with scaled rotations and untied embeddings."""
    from transformers import GPT2Config, LlamaConfig, Qwen2Config, Qwen3Config

    ends = {"bos_token_id": 0, "eos_token_id": 0}
    if kind == "gpt2":
        return GPT2Config(
            vocab_size=VOCABULARY, n_positions=256, n_embd=64, n_layer=3, n_head=4,
            initializer_range=0.2, **ends,
        )  # fmt: skip
    shape = {
        "vocab_size": VOCABULARY, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256,
        "initializer_range": 0.2, "tie_word_embeddings": kind != "llama3", **ends,
    }  # fmt: skip
    if kind == "llama3":
        return LlamaConfig(**shape, attention_bias=True, rope_parameters=LLAMA3)
    return {"llama": LlamaConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config}[kind](**shape, head_dim=16)


CUTS = {"gpt2": "gpt-2", "llama": "smollm", "llama3": "llama-bpe", "qwen2": "qwen2", "qwen3": "qwen2"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny random model of this kind, as transformers saves it."""
    folders: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in folders:
            from transformers import AutoModelForCausalLM

            torch.manual_seed(1)
            model = AutoModelForCausalLM.from_config(tiny_config(kind))
            with torch.no_grad():
                for name, weight in model.named_parameters():
                    if name.endswith("bias"):
                        weight.normal_(std=0.2)
            cutter = tokenizer(CUTS[kind])
            write_whole_characters(model, cutter)
            folder = tmp_path_factory.mktemp(kind)
            model.save_pretrained(folder)
            cutter.save_pretrained(folder)
            folders[kind] = folder
        return folders[kind]

    return make


@torch.no_grad()
def write_whole_characters(model: Any, cutter: Any) -> None:
    """Make half characters, the end and ids without a text unlikely: llama.cpp withholds such text."""
    unlikely = [
        number
        for number in range(VOCABULARY)
        if number >= len(cutter) or number in cutter.all_special_ids or not cutter.decode([number]).isascii()
    ]
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        layer.weight[unlikely] = 0.0


class Llama:
    """A GGUF file in llama.cpp, float32 throughout, one prompt at a time."""

    def __init__(self, weights: Path, adapter: Path | None = None) -> None:
        self._server = open_server(
            LlamaOptions(str(weights), str(adapter) if adapter else None, context=256, parallel=1, threads=1)
        )

    def continue_text(self, text: str, tokens: int) -> dict[str, Any]:
        """Greedy: the text, how many tokens the prompt had, and the likeliest first tokens by id."""
        request = {"prompt": text, "n_predict": tokens, "temperature": 0, "logprobs": 8, "stop": []}
        answer = self._server.handle_completions(request)
        choice = answer["choices"][0]
        first = choice["logprobs"]["content"][0]
        return {
            "text": choice["text"],
            "prompt_tokens": answer["usage"]["prompt_tokens"],
            "logprobs": {one["id"]: one["logprob"] for one in first["top_logprobs"]},
        }


@torch.no_grad()
def require_same_answers(model: Any, folder: Path, llama: Llama) -> None:
    """Both engines cut every text alike; those of plain letters they weigh and continue alike."""
    from transformers import AutoTokenizer

    cutter = AutoTokenizer.from_pretrained(folder)
    for text in TEXT:
        ids = cutter(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        found = llama.continue_text(text, tokens=6)
        assert found["prompt_tokens"] == ids.shape[1], text
        if not text.isascii():  # its bytes have no embedding here (write_whole_characters)
            continue
        written = model.generate(input_ids=ids, max_new_tokens=6, do_sample=False, pad_token_id=0)
        assert found["text"] == cutter.decode(written[0, ids.shape[1] :]), text
        wanted = model(input_ids=ids).logits[0, -1].log_softmax(-1)
        for token, logprob in found["logprobs"].items():
            assert logprob == pytest.approx(float(wanted[token]), abs=0.03), (text, token)


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
