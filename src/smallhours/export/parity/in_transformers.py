"""A model in plain transformers, with nothing of ours between: a merged folder, or a base with an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from smallhours.domain.messages import Conversation
from smallhours.export.parity.probe import Ids, Led, Walk

_BATCH = 8
_MARGIN = 3


class InTransformers:
    """A loaded model and tokenizer. ``options`` are what its README passes to ``generate``."""

    def __init__(self, model: Any, tokenizer: Any, **options: Any) -> None:
        self._model, self._tokenizer, self._options = model.eval(), tokenizer, options

    @classmethod
    def merged(cls, folder: Path) -> InTransformers:
        """A folder that holds the whole model, in the number type it was saved in."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", local_files_only=True)
        return cls(model, AutoTokenizer.from_pretrained(folder, local_files_only=True))

    @classmethod
    def adapted(cls, base: Path, folder: Path) -> InTransformers:
        """The adapter of ``folder`` on the base of another."""
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        tuned = PeftModel.from_pretrained(model, folder)
        return cls(tuned, tokenizer, eos_token_id=tokenizer.eos_token_id)

    def prompt_ids(self, conversation: Conversation) -> Ids:
        """By the tokenizer's own chat template."""
        turns = [{"role": m.role.value, "content": m.content} for m in conversation.messages]
        found = self._tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
        return tuple(found)

    def greedy(self, prompts: Sequence[Ids], tokens: int) -> list[Ids]:
        """In batches, filled up on the left."""
        found: list[Ids] = []
        for start in range(0, len(prompts), _BATCH):
            rows = self._generate(prompts[start : start + _BATCH], tokens)
            found += [_until(row, self._ending_ids()) for row in rows]
        return found

    @torch.no_grad()
    def lead(self, answers: Sequence[Led]) -> list[Walk]:
        """One pass over each answer; then the end token is forced, to see whether it ends."""
        walks = []
        for answer in answers:
            ids = torch.tensor([[*answer.prompt, *answer.ids]])
            logits = self._model(input_ids=ids).logits[0, len(answer.prompt) - 1 : -1].float()
            nll = -logits.log_softmax(-1)[torch.arange(len(answer.ids)), torch.tensor(answer.ids)]
            walks.append(Walk(tuple(nll.tolist()), self._ends(answer)))
        return walks

    def close(self) -> None:
        """Free the model."""
        del self._model

    def _ends(self, answer: Led) -> bool:
        *ids, end = answer.ids
        forced = self._generate(
            [(*answer.prompt, *ids)], _MARGIN, prefix_allowed_tokens_fn=lambda _batch, _ids: [end]
        )
        return forced == [[end]]

    @torch.no_grad()
    def _generate(self, prompts: Sequence[Ids], tokens: int, **more: Any) -> list[list[int]]:
        """New tokens of each row; a row that ends before the longest is filled up after its end."""
        width = max(map(len, prompts))
        filled = torch.tensor([[0] * (width - len(ids)) + list(ids) for ids in prompts])
        mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in prompts])
        out = self._model.generate(
            input_ids=filled, attention_mask=mask, max_new_tokens=tokens, do_sample=False,
            **self._options, **more,
        )  # fmt: skip
        rows: list[list[int]] = out[:, width:].tolist()
        return rows

    def _ending_ids(self) -> set[int]:
        ending = self._options.get("eos_token_id", self._model.generation_config.eos_token_id)
        return set(ending) if isinstance(ending, list) else {ending}


def _until(ids: list[int], ends: set[int]) -> Ids:
    """Up to the first end token; what follows fills up the batch."""
    at = next((at for at, number in enumerate(ids) if number in ends), len(ids) - 1)
    return tuple(ids[: at + 1])
