"""What is learnt and what decides when to stop, as token ids; what cannot be trained on is said here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smallhours.domain.errors import DataError
from smallhours.domain.records import Example, Split
from smallhours.domain.settings import TrainSettings
from smallhours.llm.answer_loss import Encoded, encode
from smallhours.llm.base import Base
from smallhours.llm.loading import load_chat_format, load_tokenizer


@dataclass(frozen=True)
class TokenSets:
    """Encoded examples by use, and the token that pads them. ``held_out`` is measured, never looked at."""

    train: list[Encoded]
    validation: list[Encoded]
    held_out: list[Encoded]
    pad: int

    @property
    def longest(self) -> int:
        """Tokens of the longest example."""
        return max(len(one.ids) for one in (*self.train, *self.validation, *self.held_out))


def encode_sets(
    base: Base,
    options: TrainSettings,
    train: Sequence[Example],
    validation: Sequence[Example],
    held_out: Sequence[Example] = (),
) -> TokenSets:
    """Render and tokenize; the longest example may fill the base's context or ``train.max_length``.

    Raises:
        DataError: naming every example that is too long, and a set in which no answer is to be learnt.
    """
    tokenizer, form = load_tokenizer(base), load_chat_format(base)
    limit = min(options.max_length or base.context, base.context)
    train_ids, validation_ids, held_out_ids = (
        encode(examples, tokenizer, form, options.system_prompt, limit)
        for examples in (train, validation, held_out)
    )
    # An example whose answers all have weight 0 teaches nothing, and a batch of them has no loss.
    sets = TokenSets(
        train=[one for one in train_ids if any(one.learnt)],
        validation=[one for one in validation_ids if any(one.learnt)],
        held_out=[one for one in held_out_ids if any(one.learnt)],
        pad=tokenizer.convert_tokens_to_ids(form.end),
    )
    given = {Split.TRAIN: (train, sets.train), Split.VALIDATION: (validation, sets.validation)}
    for split, (examples, kept) in given.items():
        if not kept:
            raise DataError(
                f"the {split} split has {len(examples)} example(s) and none with an answer to learn from "
                "(weight 1): add pairs with different answers, then run 'smallhours corpus build' again"
            )
    return sets
