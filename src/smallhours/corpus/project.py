"""A new project folder: ten pairs to begin from, settings, and what to do next."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from smallhours.corpus.sources import builtin_pairs
from smallhours.domain.artifacts import explained_disk_errors, write_aside
from smallhours.domain.errors import InputError
from smallhours.domain.records import Example

PAIRS = "pairs.csv"
COLUMNS = ("question", "answer", "topic", "locale", "source", "author", "licence")
# Varied in topic, age and register. The last two ask for what no answer gives; each is alone in its topic,
# and what is alone is trained on.
EXAMPLES = (
    "en-anxiety-003", "en-anxiety-012", "en-anxiety-024", "en-depression-006", "en-depression-011",
    "en-depression-018", "en-sleep-001", "en-sleep-008", "en-wellness-001", "en-relationships-001",
)  # fmt: skip
FALLBACK_NAME = "mine"

_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def create_project(folder: Path) -> list[Path]:
    """Write a project into a new or empty folder; the files written, or none of them.

    Raises:
        InputError: if the folder holds something, or is a file.
        ResourceError: if it cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; name a new folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder}: is not empty; name a new folder, so that nothing of yours is touched")
    files = _files(run_name(folder))
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    written: list[Path] = []
    try:
        for name, content in files.items():
            write_aside(folder / name, content)
            written.append(folder / name)
    except BaseException:
        with explained_disk_errors(folder):
            for path in written:
                path.unlink()
            for path in (made for made in new if made.exists()):
                path.rmdir()
        raise
    return written


def run_name(folder: Path) -> str:
    """A run's name from a folder's: letters, digits, dots, dashes, underscores; first a letter or digit."""
    return _NO_NAME.sub("-", folder.resolve().name).strip("._-") or FALLBACK_NAME


def _files(name: str) -> Mapping[str, bytes]:
    """File name -> content. Lines end as the format has it (CSV: CR LF) and alike on every system."""
    template = resources.files("smallhours.corpus") / "data" / "project"

    def filled(file: str) -> bytes:
        text = (template / file).read_text(encoding="utf-8").replace("\r\n", "\n")
        return text.replace("{name}", name).encode()

    return {
        PAIRS: _csv(),
        "smallhours.toml": filled("smallhours.toml"),
        "README.md": filled("README.md"),
        ".gitignore": filled("gitignore"),
    }


def _csv() -> bytes:
    """The pairs as CSV, with a byte order mark: without one Excel takes UTF-8 for the old Windows table and
    breaks every accent and curly quote. Our reader takes both."""
    pairs = {pair.id: pair for pair in builtin_pairs()}
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_row(pairs[id_]) for id_ in EXAMPLES)
    return text.getvalue().encode("utf-8-sig")


def _row(pair: Example) -> list[str]:
    return [getattr(pair, column) for column in COLUMNS]
