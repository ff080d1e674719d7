"""Fine-tune the reader: LoRA on MiniLM, two questions asked of each message (a crisis? a grave one?).

One thread and fixed seeds, so that one machine gives the same numbers each time.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from smallhours.safety.reader import windows
from smallhours.semantics.minilm import LONGEST, MATRICES, installed
from smallhours.semantics.transformer import WIDTH
from smallhours.train.risk.recipe import Recipe
from smallhours.train.risk.text import Line, folds

Floats = NDArray[np.float32]
Say = Callable[[str], object]


class Reader(torch.nn.Module):
    """MiniLM with LoRA, mean pooling and two logits."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        from peft import LoraConfig, get_peft_model
        from transformers import AutoTokenizer, BertModel

        torch.manual_seed(recipe.seed)
        folder = installed()
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        bert = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="sdpa")
        bert.encoder.layer = bert.encoder.layer[: recipe.layers]
        lora = LoraConfig(
            r=recipe.rank, lora_alpha=recipe.rank, target_modules=["query", "key", "value", "dense"]
        )
        self.bert = get_peft_model(bert, lora)
        self.head = torch.nn.Linear(WIDTH, 2)
        self.dropout = torch.nn.Dropout(recipe.dropout)

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text, at most ``LONGEST``."""
        ids: list[int] = self._tokenizer(text, truncation=True, max_length=LONGEST)["input_ids"]
        return ids

    def forward(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """``(n, 2)`` logits of texts given as token ids."""
        length = -(-max(map(len, rows)) // 16) * 16  # few shapes: each new one costs the matrix library time
        ids = torch.tensor([[*row, *[0] * (length - len(row))] for row in rows])
        mask = torch.arange(length)[None, :] < torch.tensor([len(row) for row in rows])[:, None]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self.bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        weight = mask.float()[..., None]
        pooled = (hidden.float() * weight).sum(1) / weight.sum(1)
        logits: torch.Tensor = self.head(self.dropout(pooled))
        return logits


def fit(lines: Sequence[Line], recipe: Recipe, say: Say) -> Reader:
    """A reader that has learnt from ``lines`` (each in its first window)."""
    torch.set_num_threads(1)
    reader = Reader(recipe)
    ids = [reader.tokens(windows(line.text)[0]) for line in lines]
    truth = torch.tensor([[line.is_crisis, line.is_grave] for line in lines], dtype=torch.float32)
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in reader.bert.parameters() if p.requires_grad], "lr": recipe.rate},
            {"params": reader.head.parameters(), "lr": recipe.head_rate},
        ],
        weight_decay=0.01,
    )
    steps = recipe.epochs * math.ceil(len(lines) / recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps, recipe.warmup))
    order = random.Random(recipe.seed)
    reader.train()
    for epoch in range(recipe.epochs):
        total = 0.0
        for batch in _batches([len(row) for row in ids], recipe.batch, order):
            logits = reader([ids[row] for row in batch])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth[batch])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        say(f"  reader: pass {epoch + 1} of {recipe.epochs}, loss {total / len(lines):.3f}\n")
    return reader.eval()


def margins(reader: Reader, texts: Sequence[str]) -> NDArray[np.float64]:
    """``(n, 2)`` logits, crisis and grave, each the highest of a text's windows."""
    pieces = [(row, reader.tokens(piece)) for row, text in enumerate(texts) for piece in windows(text)]
    pieces.sort(key=lambda piece: len(piece[1]))
    found = np.full((len(texts), 2), -math.inf)
    with torch.no_grad():
        for start in range(0, len(pieces), 64):
            part = pieces[start : start + 64]
            for (row, _), logits in zip(part, reader([ids for _, ids in part]).numpy(), strict=True):
                found[row] = np.maximum(found[row], logits)
    return found


def held_aside(lines: Sequence[Line], recipe: Recipe, say: Say) -> NDArray[np.float64]:
    """``(n, 2)`` logits of each line by a reader that saw nothing of its style."""
    fold = folds(lines, recipe.folds)
    found = np.zeros((len(lines), 2))
    for number in range(recipe.folds):
        say(f"  reader: fold {number + 1} of {recipe.folds}\n")
        reader = fit([line for line, at in zip(lines, fold, strict=True) if at != number], recipe, say)
        aside = [row for row, at in enumerate(fold) if at == number]
        found[aside] = margins(reader, [lines[row].text for row in aside])
    return found


def deltas(reader: Reader) -> dict[str, Floats]:
    """What the reader learnt, as ``semantics.minilm.MiniLm`` takes it, and its two questions."""
    found: dict[str, Floats] = {}
    for number, layer in enumerate(_plain(reader.bert).encoder.layer):
        for name, path in MATRICES.items():
            matrix = layer.get_submodule(path)
            found[f"{number}.{name}.a"] = matrix.lora_A["default"].weight.detach().numpy()
            found[f"{number}.{name}.b"] = matrix.lora_B["default"].weight.detach().numpy()
    found["head.weight"] = reader.head.weight.detach().numpy()
    found["head.bias"] = reader.head.bias.detach().numpy()
    return found


def _plain(model: Any) -> Any:
    return model.get_base_model()


def _rate(step: int, steps: int, warmup: float) -> float:
    return min(1.0, (step + 1) / max(1.0, warmup * steps)) * max(0.02, 1 - step / steps)


def _batches(lengths: Sequence[int], size: int, order: random.Random) -> Iterator[list[int]]:
    """Rows of like length together, in random order."""
    rows = list(range(len(lengths)))
    order.shuffle(rows)
    found = []
    for start in range(0, len(rows), size * 20):
        near = sorted(rows[start : start + size * 20], key=lengths.__getitem__)
        found += [near[at : at + size] for at in range(0, len(near), size)]
    order.shuffle(found)
    yield from found
