"""The second learned opinion: a small language model that reads a whole message in its order of words.

The risk head knows what a message is about; this one also sees who does what, when, and what is denied. It
is MiniLM (Wang et al. 2020, arXiv:2002.10957, as sentence-transformers/all-MiniLM-L6-v2), fine-tuned with
LoRA by ``python -m smallhours.train.risk`` on text written for this project; ``risk_reader.npz`` holds what
it learnt.
Its score is evidence like any other (``safety/evidence.py``): it decides nothing alone.

Not seen: messages in other languages than English (its vocabulary is English), and English that looks like
another language.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from smallhours.domain.risk import Finding, RiskLevel
from smallhours.safety.evidence import READER
from smallhours.safety.language import guess_language
from smallhours.safety.pieces import is_short, plain
from smallhours.semantics.minilm import MiniLm
from smallhours.semantics.vectors import Encoder

Floats = NDArray[np.float32]

RULE = "read"

_WINDOW, _STEP = 160, 80  # words
_MOST = 8  # windows read of one message: the first and the last half of these
_PLAIN_LETTERS = 0.9  # share


def can_read(text: str) -> bool:
    """Whether a text is for the reader: English, as its commonest words tell, and more than a word or two.

    A wrong guess costs an opinion, never the others: without the reader, phrases and head are weighed alone.
    """
    return in_plain_letters(text) and guess_language(text) == "en"


def in_plain_letters(text: str) -> bool:
    """Whether a text is mostly in Latin letters without accents, and more than a word or two."""
    letters = [ch for ch in text if ch.isalpha()]
    plain_ones = sum(map(str.isascii, letters))
    return bool(letters) and not is_short(text) and plain_ones >= _PLAIN_LETTERS * len(letters)


def windows(text: str) -> list[str]:
    """The text as the reader sees it: one piece, or overlapping ones if it is long."""
    words = plain(text).split()
    starts = range(0, max(1, len(words) - _WINDOW + _STEP), _STEP)
    kept = [*starts[: _MOST // 2], *starts[max(_MOST // 2, len(starts) - _MOST // 2) :]]
    return [" ".join(words[at : at + _WINDOW]) for at in kept]


class RiskReader:
    """The fine-tuned model and its two questions, applied. Safe to share between threads."""

    def __init__(self, model: Encoder, weight: Floats, bias: Floats, grave: float) -> None:
        """``weight`` (2, 384) and ``bias`` (2,) give logits, crisis and grave; ``grave`` is a threshold."""
        self._model, self._weight, self._bias, self._grave = model, weight, bias, grave

    def detect_many(self, texts: Sequence[str]) -> list[list[Finding]]:
        """One finding with its score for each text that can be read: ``high`` if surely grave or ``none``."""
        read = [windows(text) if can_read(text) else [] for text in texts]
        pieces = list(dict.fromkeys(chain.from_iterable(read)))
        if not pieces:
            return [[] for _ in texts]
        logits = self._model.encode(pieces) @ self._weight.T + self._bias
        row = {piece: number for number, piece in enumerate(pieces)}
        return [
            [self._found(text, logits[[row[piece] for piece in own]].max(axis=0))] if own else []
            for text, own in zip(texts, read, strict=True)
        ]

    def _found(self, text: str, logits: Floats) -> Finding:
        level = RiskLevel.HIGH if logits[1] >= self._grave else RiskLevel.NONE
        return Finding(
            detector=READER, rule=RULE, level=level, span=(0, len(text)), score=round(float(logits[0]), 3)
        )


@cache
def risk_reader() -> RiskReader:
    """The reader that ships with the package, loaded when the first text comes."""
    raw = (files("smallhours.safety") / "data/risk_reader.npz").read_bytes()
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        held = {name: arrays[name].astype(np.float32) for name in arrays.files}
    weight, bias, grave = held.pop("head.weight"), held.pop("head.bias"), float(held.pop("grave"))
    layers = 1 + max(int(name.split(".")[0]) for name in held)
    return RiskReader(MiniLm(deltas=held, layers=layers), weight, bias, grave)


def detect(text: str) -> list[Finding]:
    """What the shipped reader makes of one message."""
    return detect_many([text])[0]


def detect_many(texts: Sequence[str]) -> list[list[Finding]]:
    """What it makes of each of many messages, in less time than one by one."""
    return risk_reader().detect_many(texts)
