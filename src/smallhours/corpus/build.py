"""The corpus stage: a pairs file in, a dataset folder out."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smallhours.corpus.augment import augment
from smallhours.corpus.problems import Severity
from smallhours.corpus.screening import Screen
from smallhours.corpus.sources import SHOWN, Reading, hash_pairs, load_pairs, source_name
from smallhours.corpus.split import assign_groups, overlaps, split_groups
from smallhours.corpus.text import asked, count_words
from smallhours.corpus.validate import check_pairs
from smallhours.domain.artifacts import Manifest, fingerprint, is_current, require_manifest, staged_folder
from smallhours.domain.errors import DataError
from smallhours.domain.records import Example, Split, read_examples, write_examples
from smallhours.domain.settings import Settings
from smallhours.semantics.vectors import Encoder, Remembered

STAGE = "corpus"
CODE_VERSION = 1  # raise it when the same pairs come out differently
FEWEST_PAIRS = 12
_MADE_BY = "smallhours corpus build"


def build_dataset(
    settings: Settings, target: Path, vectors: Encoder, screen: Screen | None = None
) -> Manifest:
    """Write the dataset folder, unless it is there already and made from the same things.

    ``target`` gets ``train.jsonl`` (augmented), ``validation.jsonl`` and ``test.jsonl`` (as they
    are), and ``pairs.jsonl`` (all originals with their groups). The manifest's figures count the
    examples and measure how near the held-out ones come to training. ``screen`` looks for questions in a
    crisis, which are refused.

    Raises:
        DataError: for pairs that cannot be used, all problems at once.
        ResourceError: if the folder cannot be written.
    """
    reading = Reading(settings.corpus.columns, settings.corpus.sheet)
    inputs = {"pairs": hash_pairs(settings.data, reading), "code": str(CODE_VERSION)}
    config = settings.corpus.model_dump(mode="json")
    if is_current(target, fingerprint(STAGE, inputs, config, settings.seed)):
        return require_manifest(target, _MADE_BY)
    pairs, warnings = _usable_pairs(settings.data, reading, screen)
    vectors = Remembered(vectors)  # the audit looks at the same answers again and again
    grouped = assign_groups(pairs, vectors, settings.corpus.group_similarity)
    splits = split_groups(
        grouped, settings.corpus.validation_share, settings.corpus.test_share, settings.seed
    )
    held_out = [*splits[Split.VALIDATION], *splits[Split.TEST]]
    originals = splits[Split.TRAIN]
    splits[Split.TRAIN] = augment(
        originals, settings.corpus.expansion, settings.seed, avoid={asked(example) for example in held_out}
    )
    figures = _figures(grouped, splits, warnings)
    figures["expansion"] = _expansion(originals, splits[Split.TRAIN], settings.corpus.expansion)
    figures["leaks"] = {
        split.value: _leak_audit(
            splits[Split.TRAIN], splits[split], vectors, settings.corpus.group_similarity
        )
        for split in (Split.VALIDATION, Split.TEST)
    }
    with staged_folder(
        target, stage=STAGE, inputs=inputs, config=config, seed=settings.seed, figures=figures
    ) as folder:
        write_examples(folder / "pairs.jsonl", grouped)
        for split, examples in splits.items():
            write_examples(folder / f"{split}.jsonl", examples)
    return require_manifest(target, _MADE_BY)


def read_split(folder: Path, split: Split) -> list[Example]:
    """One split of a finished dataset folder.

    Raises:
        RunError: if the folder is not finished, or the file is damaged.
    """
    require_manifest(folder, _MADE_BY)
    return read_examples(folder / f"{split}.jsonl")


def _usable_pairs(data: str | None, reading: Reading, screen: Screen | None) -> tuple[list[Example], int]:
    pairs = load_pairs(data, reading)
    problems = check_pairs(pairs, source_name(data), screen=screen)
    errors = [str(problem) for problem in problems if problem.severity is Severity.ERROR]
    if len(pairs) < FEWEST_PAIRS:
        errors.append(
            f"{source_name(data)}: has {len(pairs)} pairs; at least {FEWEST_PAIRS} are needed, "
            "so that some can be kept out of training to measure it"
        )
    if len(errors) > SHOWN:
        errors[SHOWN:] = [
            f"{source_name(data)}: and {len(errors) - SHOWN} more: smallhours corpus check lists them"
        ]
    if errors:
        raise DataError(errors)
    return pairs, len(problems)


def _figures(
    pairs: Sequence[Example], splits: Mapping[Split, Sequence[Example]], warnings: int
) -> dict[str, Any]:
    lengths = [count_words(example.answer) for example in pairs]
    groups = Counter(example.group for example in pairs)
    return {
        "pairs": len(pairs),
        "warnings": warnings,
        "groups": {"count": len(groups), "largest": max(groups.values())},
        "answer_words": {
            "min": min(lengths),
            "median": statistics.median(lengths),
            "mean": round(statistics.fmean(lengths), 2),
            "max": max(lengths),
        },
        "topics": _count_topics(pairs),
        "splits": {
            split.value: {
                "examples": len(examples),
                "pairs": sum(example.parent is None for example in examples),
                "groups": len({example.group for example in examples}),
                "topics": _count_topics([example for example in examples if example.parent is None]),
            }
            for split, examples in splits.items()
        },
    }


def _count_topics(examples: Sequence[Example]) -> dict[str, int]:
    return dict(sorted(Counter(example.topic for example in examples).items()))


def _expansion(originals: Sequence[Example], train: Sequence[Example], asked_for: int) -> dict[str, Any]:
    """What was asked for, what came of it on average, and how many pairs fell short of it."""
    made = Counter(example.parent for example in train if example.parent)
    return {
        "wanted": asked_for,
        "achieved": round(len(train) / len(originals), 3),
        "short": sum(made[example.id] < asked_for - 1 for example in originals),
        "rules": dict(sorted(Counter(e.rewording for e in train if e.rewording).items())),
    }


def _leak_audit(
    train: Sequence[Example], held_out: Sequence[Example], vectors: Encoder, bound: float
) -> dict[str, Any]:
    """The greatest similarity per field and how many texts reach the bound that makes a group."""
    found = overlaps(train, held_out, vectors)
    audit: dict[str, Any] = {"bound": bound, "reached": sum(o.similarity >= bound for o in found)}
    for field in ("question", "answer"):
        worst = max((o for o in found if o.field == field), key=lambda o: o.similarity)
        audit[field] = {"max": round(worst.similarity, 4), "held_out": worst.held_out, "train": worst.train}
    return audit
