"""The reference: base and adapter in float32, rendered and computed as in training and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from smallhours.domain.messages import Conversation
from smallhours.domain.records import Example
from smallhours.export.parity.probe import Ids, Led, Prompt
from smallhours.llm.answer_loss import Batch, Encoded, answer_nll, collate, encode, likeliest_tokens
from smallhours.llm.base import Base
from smallhours.llm.chat_format import ChatFormat
from smallhours.llm.loading import load_model, load_tokenizer

# Examples computed at once; behind a shared system prompt, many short ones are better than few.
_BATCH = 16


class Reference:
    """The tuned model, to compare with.

    Raises:
        ResourceError: it takes more memory than is free.
    """

    def __init__(self, base: Base, adapter: Path, form: ChatFormat, system_prompt: str) -> None:
        self._form, self._system_prompt = form, system_prompt
        self._tokenizer = load_tokenizer(base)
        self._model = load_model(base, torch.float32, adapter)
        self._pad = int(self._tokenizer.convert_tokens_to_ids(form.end))

    def prompt(self, conversation: Conversation) -> Prompt:
        """The conversation with its token ids."""
        text = self._form.prompt(conversation, self._system_prompt)
        return Prompt(conversation, tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"]))

    def led(self, examples: Sequence[Example]) -> list[Led]:
        """The last answer of each example, with its loss.

        Raises:
            DataError: an example is longer than the base's context.
        """
        longest = int(self._model.config.max_position_embeddings)
        encoded = encode(examples, self._tokenizer, self._form, self._system_prompt, longest)
        alone = [_last_answer(one) for one in encoded]
        losses = self._by_batch(alone, lambda batch: answer_nll(self._model, batch))
        return [
            Led(_prompt_of(one), one.ids[len(_prompt_of(one)) : _end_of(one)], tuple(nll))
            for one, nll in zip(alone, losses, strict=True)
        ]

    def agrees(self, prompts: Sequence[Ids], written: Sequence[Ids]) -> list[list[bool]]:
        """For each written token, whether this model would have written it after the ones before."""
        whole = [
            Encoded(str(n), (*before, *after), (False,) * len(before) + (True,) * len(after))
            for n, (before, after) in enumerate(zip(prompts, written, strict=True))
        ]
        return self._by_batch(whole, lambda batch: likeliest_tokens(self._model, batch) == batch.labels)

    @torch.no_grad()
    def _by_batch(
        self, examples: Sequence[Encoded], compute: Callable[[Batch], torch.Tensor]
    ) -> list[list[Any]]:
        """What ``compute`` finds for each learnt token of each example."""
        found: list[list[Any]] = []
        for start in range(0, len(examples), _BATCH):
            batch = collate(examples[start : start + _BATCH], self._pad)
            found += [piece.tolist() for piece in torch.split(compute(batch), list(batch.counts))]
        return found


def _last_answer(encoded: Encoded) -> Encoded:
    """The same with the last run of learnt tokens alone marked."""
    end = _end_of(encoded)
    start = end
    while start and encoded.learnt[start - 1]:
        start -= 1
    marks = tuple(start <= at < end for at in range(len(encoded.ids)))
    return replace(encoded, learnt=marks)


def _end_of(encoded: Encoded) -> int:
    return len(encoded.learnt) - encoded.learnt[::-1].index(True)


def _prompt_of(encoded: Encoded) -> Ids:
    return encoded.ids[: encoded.learnt.index(True)]
