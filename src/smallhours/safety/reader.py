"""The second learned opinion: it reads a few words at a time, in every language of the encoder.

The risk head compares what a message is about; this one sees which words stand beside each other, and keeps
what was strongest. It is Google's multilingual sentence encoder, fine-tuned by ``python -m
smallhours.train.risk`` on text written for this project; ``risk_reader.npz`` holds what it learnt. Its
score is evidence like any other (``safety/evidence.py``): it decides nothing alone. The same model reads what
our own model is about to say: does it read like a reply that does harm?

Not seen: how sentences hang together, who denies what another sentence says, and languages whose letters the
encoder does not have (Hindi is read in Latin letters). Of replies: those under twenty words, and harm that
lies only in what a reply answers to.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smallhours.domain.risk import Finding, RiskLevel
from smallhours.safety.evidence import READER
from smallhours.safety.pieces import ends, is_short, plain
from smallhours.semantics.vectors import Encoder

Floats = NDArray[np.float32]

RULE, HARM_RULE = "read", "reads_harmful"

SHORTEST_REPLY = 20  # words; it has hardly learnt from shorter ones, and takes a single sentence for anything
_STEPS = 127  # whole numbers that a change of a weight is kept in, either way


def whole(text: str) -> str:
    """What is read of a message: all of it, of a very long one its two ends, nothing of a word or two."""
    return "" if is_short(text) else plain(ends(text))


class RiskReader:
    """A fine-tuned model and its questions, applied. Safe to share between threads if the model is."""

    def __init__(self, model: Encoder, weight: Floats, bias: Floats, grave: float) -> None:
        """``weight`` (3, d) and ``bias`` (3,) give logits: crisis and grave of a message, harm of a reply;
        ``grave`` is a threshold.
        """
        self._model, self._weight, self._bias, self._grave = model, weight, bias, grave

    def read_reply(self, reply: str) -> list[Finding]:
        """One finding with the score of a reply that says something; from what score on it does harm is
        weighed elsewhere (:func:`safety.evidence.weighed_reply`).
        """
        said = whole(reply)
        if len(said.split()) < SHORTEST_REPLY:
            return []
        score = float((self._model.encode([said]) @ self._weight[2] + self._bias[2])[0])
        return [Finding(detector=READER, rule=HARM_RULE, span=(0, len(reply)), score=round(score, 3))]

    def detect_many(self, texts: Sequence[str]) -> list[list[Finding]]:
        """One finding with its score for each text that says something: ``high`` if grave, or ``none``."""
        read = [whole(text) for text in texts]
        said = list(dict.fromkeys(piece for piece in read if piece))
        if not said:
            return [[] for _ in texts]
        logits = self._model.encode(said) @ self._weight[:2].T + self._bias[:2]
        row = {piece: number for number, piece in enumerate(said)}
        return [
            [self._found(text, logits[row[piece]])] if piece else []
            for text, piece in zip(texts, read, strict=True)
        ]

    def _found(self, text: str, logits: Floats) -> Finding:
        level = RiskLevel.HIGH if logits[1] >= self._grave else RiskLevel.NONE
        score = round(float(logits[0]), 3)
        return Finding(detector=READER, rule=RULE, level=level, span=(0, len(text)), score=score)


def packed(tuned: Mapping[str, Floats]) -> dict[str, NDArray[Any]]:
    """Arrays to be kept: of what changed, the change in whole numbers and a scale for each column."""
    from smallhours.semantics.universal import TUNED, original_weights

    original, found = original_weights(), dict[str, NDArray[Any]]()
    for name, values in tuned.items():
        if name not in TUNED or values.ndim == 1:
            found[name] = values.astype(np.float32 if values.ndim == 1 else np.float16)
            continue
        change = values - original[name]
        scale = np.maximum(np.abs(change).max(axis=0), 1e-9) / _STEPS
        found[f"{name}/steps"] = np.round(change / scale).astype(np.int8)
        found[f"{name}/scale"] = scale.astype(np.float32)
    return found


def unpacked(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
    """What :func:`packed` was given, nearly."""
    from smallhours.semantics.universal import original_weights

    original, found = original_weights(), dict[str, Floats]()
    for name, values in arrays.items():
        named, _, part = name.partition("/")
        if part == "steps":
            found[named] = original[named] + values * arrays[f"{named}/scale"]
        elif not part:
            found[named] = values.astype(np.float32)
    return found


@cache
def risk_reader() -> RiskReader:
    """The reader that ships with the package, loaded when the first text comes."""
    from smallhours.semantics.universal import TunedUniversal

    raw = (files("smallhours.safety") / "data/risk_reader.npz").read_bytes()
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        held = unpacked({name: arrays[name] for name in arrays.files})
    weight, bias, grave = held.pop("head.weight"), held.pop("head.bias"), float(held.pop("grave"))
    return RiskReader(TunedUniversal(held), weight, bias, grave)


def detect(text: str) -> list[Finding]:
    """What the shipped reader makes of one message."""
    return detect_many([text])[0]


def detect_many(texts: Sequence[str]) -> list[list[Finding]]:
    """What it makes of each of many messages, in less time than one by one."""
    return risk_reader().detect_many(texts)


def read_reply(reply: str) -> list[Finding]:
    """What the shipped reader makes of a reply."""
    return risk_reader().read_reply(reply)
