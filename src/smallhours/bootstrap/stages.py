"""The stages of a run that write one folder each: dataset, adapter, package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smallhours.bootstrap.admission import admit
from smallhours.bootstrap.models import open_rewriter
from smallhours.bootstrap.safety import safety_pipeline, vetted_vectors
from smallhours.domain.artifacts import Manifest
from smallhours.domain.settings import Settings

Announce = Callable[[str], None]


def build_dataset(settings: Settings, announce: Announce) -> Manifest:
    """The corpus stage."""
    from smallhours.corpus.build import build_dataset as build

    target = settings.run_folder / "dataset"
    safety = safety_pipeline()
    manifest = build(
        settings, target, vetted_vectors(), safety.screen_input, open_rewriter, safety.screen_many
    )
    for line in manifest.figures.get("understood", ()):
        announce(f"pairs: {line}")
    for caution in manifest.figures.get("cautions", ()):
        announce(f"warning: {caution}")
    announce(f"dataset: {target}")
    review = manifest.figures["review"]
    if "sign_offs" in manifest.inputs or review["left_out"]:
        states = ", ".join(f"{count} {state}" for state, count in review["states"].items() if count)
        announce(f"review: {states}; {review['left_out']} left out")
        for note in review["notes"]:
            announce(f"review: {note}")
    return manifest


def check_base(settings: Settings, announce: Announce) -> None:
    """Before any work: a base that is none is an error, one that could not be served afterwards a warning.

    Raises:
        InputError: no such base, or its files are missing or damaged.
    """
    from smallhours.export.served_base import serving_caution

    caution = serving_caution(settings.base)
    if caution:
        announce(f"warning: {caution}")


def train(settings: Settings, report: Callable[[Any], None], announce: Announce) -> Manifest:
    """The training stage."""
    from smallhours.train.responder.run import train_adapter

    return train_adapter(settings, report, announce)


def train_folds(
    settings: Settings, folds: int, repeats: int, report: Callable[[Any], None], announce: Announce
) -> Manifest:
    """Repeated grouped k-fold beside the training stage."""
    from smallhours.train.responder.folds import train_folds as fold

    return fold(settings, folds, repeats, report, announce)


def export(
    settings: Settings,
    announce: Announce,
    targets: tuple[str, ...] = (),
    *,
    unsafe_skip_gate: bool = False,
) -> Manifest:
    """The export stage: what serving needs, ``targets`` for other programs, and the evaluation's model card.

    Raises:
        RefusedError: no passing verdict for these weights, and nobody asked to go past it.
    """
    from smallhours.evaluate.card import CARD, with_warning
    from smallhours.export.run import export_package

    unsafe = admit(settings, announce, skip=unsafe_skip_gate)
    path = settings.run_folder / "evaluation" / CARD
    card = path.read_text(encoding="utf-8") if path.is_file() else ""
    return export_package(
        settings,
        vetted_vectors(),
        announce,
        targets,
        card=with_warning(card) if unsafe else card,
        unsafe=unsafe,
    )
