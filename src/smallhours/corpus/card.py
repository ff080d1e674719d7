"""The data card: what a data set is, in words, tables and pictures, made from the data alone.

The form is the Hugging Face hub's: a README.md whose head of YAML the hub reads. ``card_text`` has the words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from smallhours.corpus.card_charts import draw
from smallhours.corpus.card_text import render
from smallhours.corpus.facts import Facts, gather
from smallhours.corpus.sources import Reading, hash_pairs, source_name, stream_pairs
from smallhours.domain.artifacts import read_manifest, staged_folder
from smallhours.domain.errors import InputError
from smallhours.domain.records import Example, Split
from smallhours.domain.settings import Settings

STAGE = "card"
CARD = "README.md"
UNKNOWN = "unknown"
OFTEN = 100_000  # pairs between two lines of progress

# Licences that the hub has a name for; any other is "other" there and stands in the card as it is.
_HUB_LICENCES = frozenset(
    ("apache-2.0", "mit", "bsd-3-clause", "cc0-1.0", "cc-by-3.0", "cc-by-sa-3.0", "cc-by-4.0", "cc-by-sa-4.0",
     "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0", "odbl", "odc-by", "unknown")
)  # fmt: skip
_SIZES = ("1K", "10K", "100K", "1M", "10M", "100M", "1B")


def make_card(settings: Settings, target: Path, announce: Callable[[str], None]) -> Facts:
    """Write the folder ``target`` with the card of ``settings.data``, read a row at a time.

    Raises:
        DataError: for rows that cannot be read, all of them at once; nothing is written then.
        InputError: if ``target`` holds something that is no card of ours.
        ResourceError: if it cannot be written.
    """
    target = target.resolve()
    if not _is_free(target):
        raise InputError(f"{target}: holds something that is no card; choose a new or an empty folder")
    reading = Reading(settings.corpus.columns, settings.corpus.sheet)
    inputs = {"pairs": hash_pairs(settings.data, reading)}
    with staged_folder(target, stage=STAGE, inputs=inputs, config={}, seed=0, figures={}) as folder:
        rows = _announced(stream_pairs(settings.data, reading), announce)
        return write_card(folder, source_name(settings.data), rows)


def write_card(
    folder: Path, name: str, examples: Iterable[Example], figures: Mapping[str, Any] | None = None
) -> Facts:
    """Write ``README.md`` and ``card/*.png`` into a folder that is still staged; the facts that went in.

    ``figures`` are those of a built dataset's manifest: with them the card tells of the splits, too.
    """
    facts = gather(examples)
    text = f"{head(name, facts, figures is not None)}\n\n{render(name, facts, draw(facts, folder), figures)}"
    (folder / CARD).write_text(text, encoding="utf-8", newline="\n")
    return facts


def _announced(examples: Iterable[Example], announce: Callable[[str], None]) -> Iterator[Example]:
    for number, example in enumerate(examples, start=1):
        yield example
        if number % OFTEN == 0:
            announce(f"card: {number:,} pairs counted")


def head(name: str, facts: Facts, built: bool) -> str:
    """The YAML that the hub reads; ``built``: the folder holds a file for each split.

    Every text is quoted: a bare ``no`` is Norwegian to us and false to YAML.
    """
    licences = {name.lower() for name, _ in facts.licences.ranked()}
    lists: dict[str, Sequence[str]] = {
        "language": [language for language, _ in facts.languages.ranked()],
        "license": sorted({name if name in _HUB_LICENCES else "other" for name in licences}),
        "size_categories": [size_category(facts.pairs)],
        "task_categories": ["text-generation"],
        "source_datasets": [source for source, _ in facts.sources.ranked() if source != UNKNOWN],
        "tags": ["question-answering", "mental-health", "emotional-support", "not-for-emergencies"],
    }
    lines = [f"pretty_name: {_quoted(name)}"]
    for key, values in lists.items():
        lines += [f"{key}:", *(f"- {_quoted(value)}" for value in values)] if values else []
    if built:
        lines += ["configs:", '- config_name: "default"', "  data_files:"]
        lines += [f'  - split: "{split}"\n    path: "{split}.jsonl"' for split in Split]
    return "\n".join(["---", *lines, "---"])


def size_category(pairs: int) -> str:
    """The hub's name for a number of rows."""
    above = sum(pairs >= 1000 * 10**i for i in range(len(_SIZES)))
    if above == 0:
        return f"n<{_SIZES[0]}"
    return f"{_SIZES[above - 1]}<n<{_SIZES[above]}" if above < len(_SIZES) else f"n>{_SIZES[-1]}"


def _quoted(text: str) -> str:
    return json.dumps("".join(letter for letter in text if letter.isprintable()), ensure_ascii=False)


def _is_free(target: Path) -> bool:
    if not target.exists():
        return True
    if not target.is_dir():
        return False
    manifest = read_manifest(target)
    return manifest.stage == STAGE if manifest else not any(target.iterdir())
