"""The corpus stage: pairs in, a dataset folder out.

The pairs are read twice: once to take notes on every row, once to write each row where it belongs. Only the
notes are held in memory, so a million rows fit on an ordinary machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from smallhours import safety
from smallhours.corpus.asking import OpenRewriter, ask_endpoint, endpoint_of
from smallhours.corpus.audit import leak_audits
from smallhours.corpus.augment import Augmenter
from smallhours.corpus.card import write_card
from smallhours.corpus.figures import figures_of
from smallhours.corpus.grouping import Duplicate, duplicates, group_numbers
from smallhours.corpus.judge import Judge
from smallhours.corpus.notes import Notes
from smallhours.corpus.preview import understood
from smallhours.corpus.problems import Severity
from smallhours.corpus.review.ledger import Ledger
from smallhours.corpus.review.selection import Selection, ledger_of
from smallhours.corpus.rows import Fault, Sparing
from smallhours.corpus.screening import Ahead, Screen, ScreenMany
from smallhours.corpus.shapes import Found
from smallhours.corpus.sources import (
    BUILTIN,
    SHOWN,
    TRANSLATIONS,
    Reading,
    examples_of,
    hash_pairs,
    load_pairs,
    open_sources,
    source_name,
)
from smallhours.corpus.split import SPLITS, held_out_cautions, split_groups
from smallhours.corpus.validate import Checker
from smallhours.domain.artifacts import (
    Manifest,
    fingerprint,
    hash_folder,
    is_current,
    require_manifest,
    staged_folder,
)
from smallhours.domain.errors import DataError
from smallhours.domain.records import Example, Split, read_examples, write_examples
from smallhours.domain.settings import Settings
from smallhours.semantics.vectors import Encoder, Remembered

STAGE = "corpus"
CODE_VERSION = 6  # raise it when the same pairs come out differently
FEWEST_PAIRS = 3  # one each for training, validation and test
_MADE_BY = "smallhours corpus build"
# The endpoint is among the inputs, by host and model: the rest of its URL is nobody's business.
_NOT_RECORDED = {"sign_offs", "rewording_url", "rewording_model", "rewording_key_variable"}
_GIVEN_UP = (
    "the endpoint for rewordings was given up ({}); the rest is by rule alone, the next build asks again"
)


def build_dataset(
    settings: Settings,
    target: Path,
    vectors: Encoder,
    screen: Screen | None = None,
    open_rewriter: OpenRewriter | None = None,
    screen_many: ScreenMany | None = None,
) -> Manifest:
    """Write the dataset folder, unless it is there already and made from the same things.

    ``target`` gets ``train.jsonl`` (augmented), ``validation.jsonl`` and ``test.jsonl`` (as they are),
    ``pairs.jsonl`` (all originals with their groups), ``vetted.jsonl`` (more to answer from) and
    ``duplicates.jsonl`` (rows left out because an earlier one says the same). The manifest's figures count
    the examples and measure how near the held-out ones come to training. ``screen`` looks for questions in
    a crisis, which are refused, and for rewordings that are more alarming than their question;
    ``screen_many`` does the same for many rows at once, in less time.

    Where the settings name an endpoint for rewordings, ``open_rewriter`` connects to it; without a ``screen``
    nothing is sent. When it fails, the rest is made by rule, a caution says so, and the next build asks it
    again.

    Raises:
        DataError: for pairs that cannot be used, all problems at once.
        SettingsError: for a band of similarity or an endpoint that cannot be.
        ResourceError: if the folder cannot be written.
    """
    reading = Reading(settings.corpus.columns, settings.corpus.sheet)
    ledger = ledger_of(settings)
    more = _more_vetted(settings)
    inputs = _inputs(settings, reading, ledger, screen, more)
    config = settings.corpus.model_dump(mode="json", exclude=_NOT_RECORDED)
    if is_current(target, fingerprint(STAGE, inputs, config, settings.seed)):
        found = require_manifest(target, _MADE_BY)
        if not _given_up(found):
            return found
    ahead = Ahead(screen, screen_many) if screen else None
    notes, warnings, review = _take_notes(settings, reading, ledger, ahead)
    vectors = vectors if isinstance(vectors, Remembered) else Remembered(vectors)  # the same texts come again
    judge = Judge(settings.corpus, vectors, screen)
    asking = ask_endpoint(settings.corpus, target.parent, open_rewriter if screen else None)
    repeated = duplicates(notes, settings.corpus.near_duplicate)
    groups = group_numbers(notes, vectors, settings.corpus.group_similarity)
    kept = np.ones(len(notes), dtype=bool)
    kept[[one.row for one in repeated]] = False
    splits = _split(settings, notes, groups, kept)
    figures: dict[str, Any] = {}
    with staged_folder(
        target, stage=STAGE, inputs=inputs, config=config, seed=settings.seed, figures=figures
    ) as folder:
        rows = _rows(settings, reading, ledger, notes, groups)
        with closing(asking) if asking else nullcontext():
            augmenter = Augmenter(settings.corpus.expansion, settings.seed, judge, set(notes.asked), asking)
            _write(folder, rows, splits, repeated, augmenter)
        written = augmenter.figures
        figures.update(figures_of(notes, groups, kept, splits, warnings, written["rewordings"]))
        figures["understood"] = understood(open_sources(settings.data, reading))
        figures["review"] = review
        figures["duplicates"] = len(repeated)
        figures["compared"] = "meaning and letters" if notes.answer_texts is not None else "letters"
        figures["expansion"] = written
        figures["leaks"] = leak_audits(folder, vectors, settings.corpus.group_similarity, settings.seed)
        figures["cautions"] = [
            *held_out_cautions({split: figures["splits"][split.value]["pairs"] for split in SPLITS}),
            *((_GIVEN_UP.format(asking.stopped),) if asking and asking.stopped else ()),
        ]
        vetted = load_pairs(more) if more is not None else []
        figures["vetted"] = len(vetted)
        write_examples(folder / "vetted.jsonl", vetted)
        write_card(folder, source_name(settings.data), _lines(folder / "pairs.jsonl"), figures)
    return require_manifest(target, _MADE_BY)


def _inputs(
    settings: Settings, reading: Reading, ledger: Ledger, screen: Screen | None, more: str | None
) -> dict[str, str]:
    inputs = {"pairs": hash_pairs(settings.data, reading), "code": str(CODE_VERSION)}
    if more is not None:
        inputs["vetted"] = hash_pairs(more)
    if ledger.content_hash:
        inputs["sign_offs"] = ledger.content_hash
    if screen is not None:
        inputs["safety"] = hash_folder(Path(safety.__file__).parent)  # it refuses pairs, and drops rewordings
    endpoint = endpoint_of(settings.corpus)
    if endpoint is not None:
        inputs["rewriter"] = endpoint.name
    return inputs


def _given_up(manifest: Manifest) -> bool:
    """Whether an endpoint for rewordings failed when this dataset was built."""
    return bool(manifest.figures["expansion"].get("rewriter", {}).get("stopped"))


def read_split(folder: Path, split: Split) -> list[Example]:
    """One split of a finished dataset folder.

    Raises:
        RunError: if the folder is not finished, or the file is damaged.
    """
    require_manifest(folder, _MADE_BY)
    return read_examples(folder / f"{split}.jsonl")


def _more_vetted(settings: Settings) -> str | None:
    """What is answered from beside the pairs themselves: for the built-in ones, their translations."""
    if settings.corpus.vetted is None and settings.data is None:
        return f"{BUILTIN}:{TRANSLATIONS}"
    return settings.corpus.vetted


def _chosen(settings: Settings, reading: Reading, selection: Selection) -> Iterator[Found | Fault]:
    """One pass over the rows that reviewers left in, marked with their state, and over the faults."""
    for item in examples_of(open_sources(settings.data, reading)):
        if isinstance(item, Fault):
            yield item
        elif (marked := selection.mark(item.example)) is not None:
            yield replace(item, example=marked)


def _take_notes(
    settings: Settings, reading: Reading, ledger: Ledger, screen: Ahead | None
) -> tuple[Notes, int, dict[str, Any]]:
    """The first pass: notes, the number of warnings, and the figures of the review.

    Raises DataError with what makes pairs unusable, the first ``SHOWN`` in full.
    """
    notes, name = Notes(), source_name(settings.data)
    selection = Selection(ledger, reviewed_only=settings.corpus.reviewed_only)
    shown: list[str] = []
    sparing = Sparing(SHOWN)
    faults = warnings = 0
    checker = Checker(screen=screen)
    chosen = _chosen(settings, reading, selection)
    for item in screen.over(chosen) if screen else chosen:
        if isinstance(item, Found):
            notes.add(item.example)
        problems = checker.problems(item)
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        warnings += len(problems) - len(errors)
        faults += len(errors)
        shown += [
            str(error).removesuffix(f" ({error.severity})") for error in errors if sparing.lets(error.text)
        ]
    if faults > len(shown):
        shown.append(f"{name}: and {faults - len(shown)} more: smallhours corpus check lists them")
    if not faults and not selection.seen:
        shown.append(f"{name}: has a header and no pairs; add a row for each pair")
    elif len(notes) < FEWEST_PAIRS:
        shown.append(selection.too_few(name, len(notes), FEWEST_PAIRS))
    if shown:
        raise DataError(shown)
    return notes, warnings, selection.figures


def _split(
    settings: Settings, notes: Notes, groups: NDArray[np.int64], kept: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """The split of each row, -1 for a row that is left out."""
    rows = int(kept.sum())
    splits = np.full(len(notes), -1, dtype=np.int8)
    dense = np.unique(groups[kept], return_inverse=True)[1].astype(np.int64)
    splits[kept] = split_groups(
        dense,
        notes.topic_codes()[kept],
        notes.topic_names,
        _share(settings.corpus.validation_share, settings.corpus.most_validation, rows),
        _share(settings.corpus.test_share, settings.corpus.most_test, rows),
        settings.seed,
    )
    return splits


def _share(share: float, most: int, rows: int) -> float:
    return min(share, most / rows)


def _rows(
    settings: Settings, reading: Reading, ledger: Ledger, notes: Notes, groups: NDArray[np.int64]
) -> Iterator[Example]:
    """The second pass: the same rows again, with their groups. Raises DataError if they are not the same."""
    row = -1
    again = Selection(ledger, reviewed_only=settings.corpus.reviewed_only)
    for row, item in enumerate(_chosen(settings, reading, again)):
        if not isinstance(item, Found) or row >= len(notes):
            break
        yield item.example.model_copy(update={"group": f"g{groups[row] + 1:04d}"})
    if row + 1 != len(notes):
        raise DataError(f"{source_name(settings.data)}: changed while it was read; run the command again")


def _write(
    folder: Path,
    rows: Iterable[Example],
    splits: NDArray[np.int8],
    repeated: list[Duplicate],
    augmenter: Augmenter,
) -> None:
    """Write every file of the dataset on one pass."""
    repeats, ids = {one.row: one for one in repeated}, dict[int, str]()
    wanted_ids = {one.of for one in repeated}
    with ExitStack() as stack:
        files: dict[str, TextIO] = {
            name: stack.enter_context((folder / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n"))
            for name in ("pairs", "duplicates", *SPLITS)
        }
        for row, example in enumerate(rows):
            if row in wanted_ids:
                ids[row] = example.id
            if row in repeats:
                files["duplicates"].write(_duplicate(example, repeats[row], ids))
                continue
            files["pairs"].write(f"{example.model_dump_json()}\n")
            split = SPLITS[splits[row]]
            worded = augmenter.expand(example) if split is Split.TRAIN else [example]
            files[split].writelines(f"{one.model_dump_json()}\n" for one in worded)


def _duplicate(example: Example, repeat: Duplicate, ids: Mapping[int, str]) -> str:
    told = {"id": example.id, "of": ids[repeat.of], "likeness": round(repeat.likeness, 4)}
    return json.dumps(told, ensure_ascii=False) + "\n"


def _lines(path: Path) -> Iterator[Example]:
    with path.open(encoding="utf-8") as stream:
        yield from map(Example.model_validate_json, stream)
