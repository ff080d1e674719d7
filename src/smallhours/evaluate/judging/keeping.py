"""Judgements kept on disk: what was asked once costs nothing again, and an interrupted round goes on."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from smallhours.domain.artifacts import hash_json, write_aside
from smallhours.evaluate.judging.asking import INSTRUCTION, SCHEMA, Judge, Judgement
from smallhours.evaluate.judging.items import Item

FOLDER = "judgements"  # in the folder of the run, beside what its stages wrote


class KeptJudge:
    """Asks ``judge`` for what is not yet in ``folder``. ``who`` tells judges apart: address, model, seed.

    A reply that could not be used is not kept, so it is asked for again.
    """

    def __init__(self, judge: Judge, folder: Path, who: str) -> None:
        self._judge, self._folder = judge, folder
        self._known_by = hash_json([who, INSTRUCTION, SCHEMA])

    def compare(self, item: Item) -> Judgement:
        """As kept, or as the judge says now. Raises what the judge raises, and ResourceError."""
        path = self._folder / f"{hash_json([self._known_by, item.key])}.json"
        try:
            return Judgement.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError):
            found = self._judge.compare(item)
        write_aside(path, found.model_dump_json().encode())
        return found
