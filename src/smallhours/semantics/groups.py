"""Which texts are computed together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def groups(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Positions of texts of so many tokens, in order, as many at a time as have ``most`` tokens together.

    A longer text is a group of its own.
    """
    group: list[int] = []
    held = 0
    for position, length in enumerate(lengths):
        if group and held + length > most:
            yield group
            group, held = [], 0
        group.append(position)
        held += length
    if group:
        yield group
