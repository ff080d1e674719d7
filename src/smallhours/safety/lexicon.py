"""The lexicons: which phrases mean what, as data that people edit (``data/lexicon/*.toml``).

A file has ``[sets]`` (names for lists of words), rules grouped by the detector that applies them
(``[[crisis]]``, ``[[harm]]``, ``[[scope]]``, ``[[reply]]``, ``[[wide_reply]]``) and ``[[exception]]``. Files
are read and compiled once, when first needed; a mistake in one is a ``DataError`` that names file and rule.

An exception never wins over a finding elsewhere in the text:

- scope ``words``: it excuses a finding whose last word it covers ("kill time", "not suicidal").
- scope ``sentence``: it excuses findings in its part of a sentence, but not those of rules that are
  ``firm``, which means: about the writer, in the writer's own words.
- scope ``quote``: like ``sentence``, and also firm findings that stand inside quotation marks.

What an excused finding may still weigh is the exception's ``keeps``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import ValidationError

from smallhours.domain.errors import DataError
from smallhours.domain.messages import Frozen
from smallhours.domain.risk import RiskCategory, RiskLevel
from smallhours.safety.phrases import Element, PhraseError, literals, parse

DETECTORS = ("crisis", "harm", "scope", "reply", "wide_reply")


class Rule(Frozen):
    """One meaning, and the phrases that carry it."""

    name: str
    level: RiskLevel = RiskLevel.NONE
    category: RiskCategory | None = None
    firm: bool = False
    phrases: tuple[str, ...]


class Excuse(Frozen):
    """A context that makes dangerous-looking words harmless, and how far it reaches."""

    name: str
    scope: Literal["words", "sentence", "quote"] = "words"
    keeps: RiskLevel = RiskLevel.NONE
    detectors: tuple[str, ...] = ("crisis", "harm")
    rules: tuple[str, ...] = ()
    phrases: tuple[str, ...]


Entry = tuple[Rule | Excuse, tuple[tuple[Element, ...], ...]]


def _documents() -> Iterator[tuple[str, dict[str, Any]]]:
    folder = files("smallhours.safety") / "data/lexicon"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.startswith("rules.") and file.name.endswith(".toml"):
            yield file.name, tomllib.loads(file.read_text("utf-8"))


@cache
def fillers() -> frozenset[str]:
    """Words that may stand between the words of any phrase ("really", "just"); set ``fillers``."""
    return frozenset(
        word
        for _, document in _documents()
        for word in document.get("sets", {}).get("fillers", "").split("|")
        if word
    )


@cache
def _everything() -> dict[str, tuple[Entry, ...]]:
    documents = list(_documents())
    shared = {k: v for _, d in documents for k, v in d.get("sets", {}).items()}
    problems: list[str] = []
    found: dict[str, list[Entry]] = {name: [] for name in DETECTORS}
    for file, document in documents:
        sets = shared | document.get("sets", {})
        problems.extend(
            f"{file}: [[{unknown}]] is no detector; use {', '.join(DETECTORS)}"
            for unknown in sorted(set(document) - {"sets", "exception", *DETECTORS})
        )
        for kind in ("exception", *DETECTORS):
            for raw in document.get(kind, ()):
                try:
                    entry = (Excuse if kind == "exception" else Rule).model_validate(raw)
                    phrases = tuple(parse(p, sets) for p in entry.phrases)
                except (ValidationError, PhraseError) as error:
                    problems.append(f"{file}: {kind} {raw.get('name', '?')!r}: {error}")
                    continue
                names = entry.detectors if isinstance(entry, Excuse) else (kind,)
                for name in names:
                    found[name].append((entry, phrases))
    if problems:
        raise DataError(problems)
    return {name: tuple(entries) for name, entries in found.items()}


def entries(detector: str) -> tuple[Entry, ...]:
    """The rules and exceptions of one detector, each with its parsed phrases."""
    return _everything()[detector]


@cache
def vocabulary() -> frozenset[str]:
    """Every whole word that a phrase names."""
    return frozenset(
        word.text
        for detector in DETECTORS
        for _, phrases in entries(detector)
        for phrase in phrases
        for word in literals(phrase)
        if not word.prefix
    )
