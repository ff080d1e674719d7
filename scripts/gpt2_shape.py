"""Make a model of GPT-2's shape: config exact, weights random, tokenizer trained on the built-in pairs.

    python scripts/gpt2_shape.py FOLDER                          GPT-2-medium, 354,823,168 parameters (1.4 GB)
    python scripts/gpt2_shape.py FOLDER --layers 2 --width 128   a small one

``microsoft/DialoGPT-medium`` has the former shape (Zhang et al. 2020, arXiv:1911.00536). Where no hub can be
reached, this proves that such a model can be trained, exported and talked to. It knows nothing: what it says
before training is noise, and what it says afterwards is noise that learnt from a few hundred answers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from smallhours.corpus.sources import builtin_pairs

END = "<|endoftext|>"
# Turns joined by their end token, no place for a system prompt: how DialoGPT writes a conversation.
TEMPLATE = (
    "{% for message in messages if message['role'] != 'system' %}"
    "{{ message['content'] }}{{ eos_token }}{% endfor %}"
)
VOCABULARY, POSITIONS, HEAD_WIDTH = 50_257, 1024, 64
MEDIUM_LAYERS, MEDIUM_WIDTH = 24, 1024


def make_gpt2_shape(
    folder: Path,
    *,
    layers: int = MEDIUM_LAYERS,
    width: int = MEDIUM_WIDTH,
    vocabulary: int = VOCABULARY,
    seed: int = 0,
) -> int:
    """Write config, weights and tokenizer to ``folder``; returns the number of parameters.

    Args:
        width: a multiple of 64, the width of a head.
        vocabulary: rows of the embedding; the last one is ``<|endoftext|>``, those that the corpus gives no
            merge for are filled with tokens that no text leads to.
        seed: of the weights. Same seed, same shape: same bytes.
    """
    import torch
    from transformers import GPT2LMHeadModel

    torch.manual_seed(seed)
    model = GPT2LMHeadModel(gpt2_config(layers, width, vocabulary))
    model.generation_config.pad_token_id = vocabulary - 1
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    train_tokenizer(builtin_texts(), vocabulary).save_pretrained(folder)
    return sum(parameter.numel() for parameter in model.parameters())


def gpt2_config(layers: int = MEDIUM_LAYERS, width: int = MEDIUM_WIDTH, vocabulary: int = VOCABULARY) -> Any:
    """transformers' configuration of this shape; the defaults are GPT-2-medium's.

    A frozen head of random rows can give a token a logit of at most about width times their deviation: 20 for
    GPT-2-medium's 0.02. A narrower model gets larger weights to reach the same, or it could not learn at all.
    """
    from transformers import GPT2Config

    end = vocabulary - 1
    return GPT2Config(
        vocab_size=vocabulary, n_positions=POSITIONS, n_embd=width, n_layer=layers,
        n_head=width // HEAD_WIDTH, bos_token_id=end, eos_token_id=end,
        initializer_range=0.02 * MEDIUM_WIDTH / width,
    )  # fmt: skip


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """A byte-level BPE tokenizer of exactly ``vocabulary`` tokens, the end token last, as GPT-2 has it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - 1,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    spec = json.loads(bpe.to_str())
    learnt = spec["model"]["vocab"]
    learnt.update({f"<|unused{number}|>": number for number in range(len(learnt), vocabulary - 1)})
    bpe = Tokenizer.from_str(json.dumps(spec))
    bpe.add_special_tokens([END])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=END, eos_token=END, unk_token=END, model_max_length=POSITIONS,
        chat_template=TEMPLATE,
    )  # fmt: skip


def builtin_texts() -> Iterator[str]:
    """Every question and answer of the built-in English pairs."""
    for example in builtin_pairs():
        yield from (message.content for message in example.messages)


def main() -> None:
    """Read the flags, make the folder, say how large the model is."""
    parser = argparse.ArgumentParser(description="Make a model of GPT-2's shape with random weights.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=MEDIUM_LAYERS)
    parser.add_argument("--width", type=int, default=MEDIUM_WIDTH, help="a multiple of 64")
    parser.add_argument("--vocabulary", type=int, default=VOCABULARY)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.width % HEAD_WIDTH:
        parser.error(f"--width {given.width}: give a multiple of {HEAD_WIDTH}")
    count = make_gpt2_shape(
        given.folder, layers=given.layers, width=given.width, vocabulary=given.vocabulary, seed=given.seed
    )
    print(f"{given.folder}: {count:,} parameters, random weights")


if __name__ == "__main__":
    main()
