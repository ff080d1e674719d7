"""Shared by the corpus tests: an encoder that needs no model, and pairs by hand."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from smallhours.corpus.judge import Judge
from smallhours.corpus.sources import builtin_pairs
from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example
from smallhours.domain.settings import CorpusSettings
from smallhours.semantics.vectors import Vectors

MakePair = Callable[..., Example]


class BagOfWords:
    """A real encoder of a simple kind: texts are alike as far as they share words."""

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.calls += 1
        found = np.zeros((len(texts), 256), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.casefold().split():
                found[row, zlib.crc32(word.encode()) % 256] += 1
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


class Alike:
    """An encoder to which every text says the same: what is judged by meaning is fine."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.tile(np.array([[1, 0]], dtype=np.float32), (len(texts), 1))


ANY_MEANING = Judge(CorpusSettings(rewording_similarity_high=1), Alike())


@pytest.fixture
def bag_of_words() -> BagOfWords:
    return BagOfWords()


@pytest.fixture(scope="session")
def make_pair() -> MakePair:
    def make(id_: str, question: str, answer: str, **fields: str) -> Example:
        messages = (
            Message(role=Role.USER, content=question),
            Message(role=Role.ASSISTANT, content=answer),
        )
        return Example(id=id_, messages=messages, **fields)

    return make


@pytest.fixture(scope="session")
def builtin() -> list[Example]:
    return builtin_pairs("98")
