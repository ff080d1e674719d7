"""Compares what was exported with the tuned model as it was evaluated, and refuses what is another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from smallhours.domain.errors import RefusedError
from smallhours.domain.records import Example
from smallhours.export.parity.probe import Exported, Led, Prompt, compare
from smallhours.export.parity.record import Parity
from smallhours.export.source import Source

if TYPE_CHECKING:
    from smallhours.export.parity.reference import Reference

# Loads an exported model for texts of up to so many tokens.
Load = Callable[[int], Exported]


class Prover:
    """Asks every target the same. The reference is loaded for the first of them.

    Args:
        held_out: examples that were not trained on; their answers are compared.
        others: more conversations, where the held-out ones are fewer than the prompts that are asked for.
    """

    def __init__(self, source: Source, held_out: Sequence[Example], others: Sequence[Example]) -> None:
        self._source, self._options = source, source.options
        wanted = self._options.prompts
        asked = spread(held_out, wanted) + spread(others, wanted - len(held_out))
        self._conversations = [example.prompt.without_system() for example in asked]
        self._held_out = spread(held_out, self._options.answers)

    def prove(self, name: str, load: Load) -> Parity:
        """The figures of a target called ``name``.

        Raises:
            RefusedError: it is not near enough to the reference.
        """
        exported = load(self._longest + 1)
        try:
            found = compare(exported, self._reference, self._prompts, self._answers, self._options.tokens)
        finally:
            exported.close()
        faults = list(found.faults(self._options))
        if faults:
            raise RefusedError(
                f"{name}: not written, for it is not the model that was evaluated: {'; '.join(faults)}"
            )
        return found

    @cached_property
    def _reference(self) -> Reference:
        from smallhours.export.parity.reference import Reference

        source = self._source
        return Reference(source.base, source.adapter, source.form, source.system_prompt)

    @cached_property
    def _prompts(self) -> list[Prompt]:
        return [self._reference.prompt(conversation) for conversation in self._conversations]

    @cached_property
    def _answers(self) -> list[Led]:
        return self._reference.led(self._held_out)

    @property
    def _longest(self) -> int:
        prompts = [len(prompt.ids) + self._options.tokens for prompt in self._prompts]
        return max(prompts + [len(answer.prompt) + len(answer.ids) for answer in self._answers])


def spread(examples: Sequence[Example], count: int) -> list[Example]:
    """Up to ``count`` of them, from all parts of the list."""
    count = min(max(count, 0), len(examples))
    return [examples[at * len(examples) // count] for at in range(count)]
