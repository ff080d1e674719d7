"""The reference engine: transformers, slow and plain. Others are checked against it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from smallhours.domain.artifacts import hash_file
from smallhours.domain.cancellation import Cancellation
from smallhours.domain.messages import Conversation
from smallhours.domain.ports import AnswerLoss, Completion, ModelIdentity, Sampling
from smallhours.domain.records import Example
from smallhours.llm.answer_loss import AnswerObjective, answer_losses, encode, surprise_at
from smallhours.llm.base import Base
from smallhours.llm.loading import load_chat_format, load_model, load_tokenizer


class TorchEngine:
    """A base with an optional PEFT adapter, both an :class:`Engine` and a :class:`LossModel`."""

    def __init__(
        self, base: Base, adapter: Path | None, system_prompt: str, dtype: torch.dtype = torch.float32
    ) -> None:
        self._format = load_chat_format(base)
        self._system_prompt = system_prompt
        self._tokenizer = load_tokenizer(base)
        self._model = load_model(base, dtype, adapter)
        self._end = self._tokenizer.convert_tokens_to_ids(self._format.end)
        self.identity = ModelIdentity(
            base=base.identity(),
            adapter=hash_file(adapter / "adapter_model.safetensors") if adapter else None,
        )

    @torch.no_grad()
    def complete(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Completion:
        """The whole answer; once begun, nothing calls it off."""
        prompt = self._tokenizer(
            self._format.prompt(conversation, self._system_prompt),
            add_special_tokens=False,
            return_tensors="pt",
        )
        torch.manual_seed(sampling.seed)
        greedy = sampling.temperature == 0
        out = self._model.generate(
            **prompt,
            max_new_tokens=sampling.max_tokens,
            do_sample=not greedy,
            temperature=None if greedy else sampling.temperature,
            top_p=None if greedy else sampling.top_p,
            eos_token_id=self._end,
            pad_token_id=self._end,
        )
        new = out[0, prompt["input_ids"].shape[1] :].tolist()
        ended = bool(new) and new[-1] == self._end
        text = self._tokenizer.decode(new[:-1] if ended else new, skip_special_tokens=True).strip()
        return Completion(text=text, tokens=len(new), finish="stop" if ended else "length")

    def stream(
        self, conversation: Conversation, sampling: Sampling, cancel: Cancellation | None = None
    ) -> Iterator[str]:
        """The whole answer as one piece."""
        yield self.complete(conversation, sampling).text

    def answer_losses(self, examples: Sequence[Example]) -> list[AnswerLoss]:
        """Loss on each answer, with the same rendering as in training."""
        limit = int(self._model.config.max_position_embeddings)
        encoded = encode(examples, self._tokenizer, self._format, self._system_prompt, limit)
        return answer_losses(AnswerObjective(self._model), encoded, self._end)

    def surprise(self, texts: Sequence[str]) -> list[float | None]:
        """Mean surprise at each text alone, see :func:`~smallhours.llm.answer_loss.surprise_at`."""
        limit = int(self._model.config.max_position_embeddings)
        ids = [self._tokenizer(text, add_special_tokens=False)["input_ids"][:limit] for text in texts]
        return surprise_at(AnswerObjective(self._model), ids, self._end)

    def close(self) -> None:
        """Free the model."""
        del self._model
