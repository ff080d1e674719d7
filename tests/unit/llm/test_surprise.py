"""A text alone: the surprise is that of the plain model at its own words, and at nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from smallhours.llm.answer_loss import AnswerObjective, surprise_at

TEXTS = ([5, 9, 4, 11, 30], [5, 9], [7], [], [44, 3, 3, 3, 3, 3, 21, 8])


def by_hand(model: Any, ids: list[int]) -> float:
    """One text, no packing: what transformers itself makes of it."""
    model.set_attn_implementation("eager")
    with torch.no_grad():
        scores = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0].float(), dim=-1)
    return -sum(float(scores[at, token]) for at, token in enumerate(ids[1:])) / (len(ids) - 1)


def test_it_is_the_mean_over_all_tokens_but_the_first(tiny_model: Any) -> None:
    found = surprise_at(AnswerObjective(tiny_model), TEXTS, pad=0)
    assert [one is None for one in found] == [False, False, True, True, False]
    for ids, value in zip(TEXTS, found, strict=True):
        if value is not None:
            assert value == pytest.approx(by_hand(tiny_model, ids), rel=1e-4)


def test_texts_do_not_see_each_other(tiny_model: Any) -> None:
    together = surprise_at(AnswerObjective(tiny_model), TEXTS, pad=0)
    for ids, value in zip(TEXTS, together, strict=True):
        (alone,) = surprise_at(AnswerObjective(tiny_model), [ids], pad=0)
        assert value == (None if alone is None else pytest.approx(alone, rel=1e-4))
