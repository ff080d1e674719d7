"""The layers of BERT (Devlin et al. 2018, arXiv:1810.04805) for texts packed one behind the other, in numpy.

Nine tenths of the time are four matrix products per layer, near what one core can do. What surrounds them is
folded into them where algebra allows: the scale of attention; the bias of the keys, which the softmax
cancels; the bias of the values, which passes through it; and the unit that leaves GELU's polynomial without a
leading factor. ``Layer.folded`` does so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WIDTH = 384  # of a token's hidden state

_HEADS = 12
_EPS = 1e-12
_ROWS = 64  # whose GELU is computed at a time: what it writes stays in the cache
_FIRM = 80  # scores of attention within +-80 need no shift: e^80 times 256 tokens is a float32, as is e^-80

# GELU(x) = x * Phi(x) = x / (1 + exp(-x * p(x^2))). This p, lowest power first, was fitted to the log odds of
# the normal distribution Phi where they matter; the greatest error of the whole is 7e-8.
_P = (
    1.59576843,
    7.26685669e-02,
    -6.62599111e-05,
    -1.10480340e-04,
    7.93822202e-06,
    -2.66893009e-07,
    3.61123707e-09,
)
# With u = -x / _UNIT the exponent is u * q(u^2), and q's leading factor is 1.
_UNIT = _P[-1] ** (-1 / (2 * len(_P) - 1))
_Q = tuple(np.float32(factor * _UNIT ** (2 * power + 1)) for power, factor in enumerate(_P[:-1]))[::-1]


@dataclass(frozen=True, slots=True)
class Norm:
    """Layer normalization (Ba et al. 2016, arXiv:1607.06450), in place."""

    gain: Floats
    bias: Floats

    def __call__(self, rows: Floats) -> None:
        rows -= rows.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", rows, rows) / WIDTH
        rows *= np.reciprocal(np.sqrt(variance + _EPS))[:, None]
        rows *= self.gain
        rows += self.bias


@dataclass(frozen=True, slots=True)
class Room:
    """Where the layers leave what they need for a moment: memory fresh from the system costs more time."""

    wide: Floats  # (tokens, 4 * WIDTH)
    taken: Floats  # (tokens, WIDTH), like the next
    added: Floats
    square: Floats
    power: Floats

    @classmethod
    def of(cls, tokens: int) -> Room:
        widths = (4 * WIDTH, WIDTH, WIDTH)
        rows = [np.empty((tokens, width), dtype=np.float32) for width in widths]
        few = np.empty((2, min(tokens, _ROWS), 4 * WIDTH), dtype=np.float32)
        return cls(*rows, *few)


@dataclass(frozen=True, slots=True)
class Layer:
    """One block of a transformer: attention, then two products with GELU between, each added to its input.

    The matrices are (in, out) in C order, which the products of a few rows read fastest.
    """

    qkv: Floats
    query_bias: Floats
    attention: Floats
    attention_bias: Floats
    attention_norm: Norm
    up: Floats
    up_bias: Floats
    down: Floats
    down_bias: Floats
    down_norm: Norm

    @classmethod
    def folded(
        cls, matrix: Mapping[str, Floats], bias: Mapping[str, Floats], attention_norm: Norm, down_norm: Norm
    ) -> Layer:
        """From (out, in) matrices and biases of query, key, value, attention, intermediate and output."""
        heat = np.float32(1 / math.sqrt(WIDTH / _HEADS))
        qkv, attention, up, down = _block(
            np.concatenate([matrix["query"] * heat, matrix["key"], matrix["value"]]).T,
            matrix["attention"].T,
            matrix["intermediate"].T * np.float32(-1 / _UNIT),
            matrix["output"].T * np.float32(-_UNIT),
        )
        return cls(
            qkv=qkv,
            query_bias=bias["query"] * heat,
            attention=attention,
            attention_bias=bias["attention"] + matrix["attention"] @ bias["value"],
            attention_norm=attention_norm,
            up=up,
            up_bias=bias["intermediate"] * np.float32(-1 / _UNIT),
            down=down,
            down_bias=bias["output"],
            down_norm=down_norm,
        )

    def __call__(self, hidden: Floats, spans: Sequence[slice], room: Room) -> None:
        """From the hidden states below this layer to those above it, in place."""
        self._attend(hidden, spans, room)
        hidden += np.matmul(room.taken, self.attention, out=room.added)
        hidden += self.attention_bias
        self.attention_norm(hidden)
        np.matmul(hidden, self.up, out=room.wide)
        _gelu(room, self.up_bias)
        hidden += np.matmul(room.wide, self.down, out=room.added)
        hidden += self.down_bias
        self.down_norm(hidden)

    def _attend(self, hidden: Floats, spans: Sequence[slice], room: Room) -> None:
        """What each token takes from the tokens of its own text."""
        projected = room.wide.reshape(-1)[: len(hidden) * 3 * WIDTH].reshape(len(hidden), -1)
        np.matmul(hidden, self.qkv, out=projected)
        projected[:, :WIDTH] += self.query_bias
        # (query key value, heads, tokens, 32); views, which the products read where they lie
        queries, keys, values = projected.reshape(len(hidden), 3, _HEADS, -1).transpose(1, 2, 0, 3)
        into = room.taken.reshape(len(hidden), _HEADS, -1).transpose(1, 0, 2)
        for span in spans:
            shares = queries[:, span] @ keys[:, span].transpose(0, 2, 1)
            if max(shares.max(), -shares.min()) > _FIRM:
                shares -= shares.max(axis=2, keepdims=True)
            np.exp(shares, out=shares)
            np.matmul(shares, values[:, span], out=into[:, span])
            whole = shares @ np.ones((shares.shape[2], 1), dtype=np.float32)
            into[:, span] /= whole


def _gelu(room: Room, bias: Floats) -> None:
    """GELU (Hendrycks & Gimpel 2016, arXiv:1606.08415) of the wide rows + bias, in place.

    Rows and bias come in units of -_UNIT, and so does what it leaves.
    """
    for start in range(0, len(room.wide), _ROWS):
        u = room.wide[start : start + _ROWS]
        s, t = room.square[: len(u)], room.power[: len(u)]
        u += bias
        np.multiply(u, u, out=s)
        np.add(s, _Q[0], out=t)
        for factor in _Q[1:]:
            t *= s
            t += factor
        t *= u
        np.exp(t, out=t)
        t += np.float32(1)
        u /= t


def _block(*matrices: Floats) -> list[Floats]:
    """Copies in C order, in one piece of memory: from 4 MB on, numpy asks for huge pages, a little faster."""
    block = np.empty(sum(matrix.size for matrix in matrices), dtype=np.float32)
    copies, at = [], 0
    for matrix in matrices:
        copy = block[at : at + matrix.size].reshape(matrix.shape)
        copy[:] = matrix
        copies.append(copy)
        at += matrix.size
    return copies
