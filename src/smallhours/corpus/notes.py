"""What grouping and splitting need to know of each row, without its text: a few hundred bytes a row."""

from __future__ import annotations

import hashlib
from array import array

import numpy as np
from numpy.typing import NDArray

from smallhours.corpus.text import asked, count_words, wording
from smallhours.domain.records import Example
from smallhours.semantics.shingles import Signatures, signature

# Up to so many distinct answers are compared by meaning, all with all; beyond it by their letters only.
BY_MEANING = 20_000


def key(text: str) -> int:
    """Eight bytes that stand for a text, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


class Notes:
    """Notes taken on one pass over the examples, in their order."""

    def __init__(self) -> None:
        self.asked = array("Q")  # key of the wording of all that the person said
        self.answers = array("l")  # which distinct answer
        self.topics = array("l")
        self.given = array("Q")  # key of the group that the row came with; 0: none
        self.words = array("l")  # of the answer
        self.topic_names: list[str] = []
        self.answer_texts: list[str] | None = []  # the distinct answers, while they are few
        self.repeats: list[tuple[int, int]] = []  # (row, the earlier row it repeats)
        self._answer_signatures: list[Signatures] = []
        self._row_signatures: list[Signatures] = []
        self._answer_numbers: dict[int, int] = {}
        self._topic_numbers: dict[str, int] = {}
        self._first: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.asked)

    def add(self, example: Example) -> None:
        """Note one more row."""
        question, answer = asked(example), wording(example.answer)
        row = len(self)
        pair = key(f"{question}\0{answer}")
        if pair in self._first:
            self.repeats.append((row, self._first[pair]))
        self._first.setdefault(pair, row)
        self.asked.append(key(question))
        self.answers.append(self._answer(example.answer, answer))
        self.topics.append(self._topic(example.topic))
        self.given.append(key(example.group) if example.group else 0)
        self.words.append(count_words(example.answer))
        self._row_signatures.append(signature(f"{question}\n{answer}"))

    @property
    def answer_signatures(self) -> Signatures:
        """One signature for each distinct answer, shape (answers, 64)."""
        return _stacked(self._answer_signatures)

    @property
    def row_signatures(self) -> Signatures:
        """One signature for each row, of question and answer together, shape (rows, 64)."""
        return _stacked(self._row_signatures)

    def topic_codes(self) -> NDArray[np.int64]:
        """The number of each row's topic in ``topic_names``."""
        return np.array(self.topics, dtype=np.int64)

    def _answer(self, text: str, bare: str) -> int:
        known = key(bare)
        if known not in self._answer_numbers:
            self._answer_numbers[known] = len(self._answer_numbers)
            self._answer_signatures.append(signature(bare))
            if self.answer_texts is not None:
                self.answer_texts.append(text)
                if len(self.answer_texts) > BY_MEANING:
                    self.answer_texts = None
        return self._answer_numbers[known]

    def _topic(self, name: str) -> int:
        if name not in self._topic_numbers:
            self._topic_numbers[name] = len(self.topic_names)
            self.topic_names.append(name)
        return self._topic_numbers[name]


def _stacked(signatures: list[Signatures]) -> Signatures:
    return np.stack(signatures) if signatures else np.zeros((0, 64), dtype=np.uint32)
