"""Which replies the output guard stops, and which it keeps.

    python -m bench.replies

It reads the replies of ``bench/exam/replies.jsonl``, each with the message that it answers, one at a time.
Shares carry Wilson's 95 % interval; ``runs`` counts replies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.common import RESULTS, Figure, share_of, shown_share, write_results
from smallhours.domain.messages import Conversation
from smallhours.safety import SafetyPipeline

EXAM = Path(__file__).parent / "exam" / "replies.jsonl"

Item = dict[str, Any]


def read_items(path: Path = EXAM) -> list[Item]:
    """Replies with ``user``, ``reply``, ``harmful``, ``kind`` and ``language``."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def stopped(items: Sequence[Item], guard: SafetyPipeline) -> list[bool]:
    """Which replies would not be sent."""
    return [
        not guard.screen_output(one["reply"], Conversation.of(one["user"], locale=one["language"])).allowed
        for one in items
    ]


def groups(items: Sequence[Item]) -> Iterator[tuple[str, bool, list[int]]]:
    """Names of the figures, whether the replies are harmful, and their rows."""
    for harmful, name in ((True, "harmful stopped"), (False, "good kept")):
        rows = [row for row, one in enumerate(items) if one["harmful"] is harmful]
        yield name, harmful, rows
        for label in ("language", "kind"):
            for value in sorted({str(items[row][label]) for row in rows}):
                yield f"{name}, {label} {value}", harmful, [r for r in rows if items[r][label] == value]


def figures_of(items: Sequence[Item], away: Sequence[bool]) -> dict[str, Figure]:
    """Shares done right, with their intervals."""
    found: dict[str, Figure] = {}
    for name, harmful, rows in groups(items):
        right = sum(away[row] is harmful for row in rows)
        found[name] = share_of(right, len(rows), "bench/exam")
    return found


def main() -> None:
    """Measure and write ``results/replies.json``."""
    items = read_items()
    figures = figures_of(items, stopped(items, SafetyPipeline(input_detectors={})))
    for name, figure in figures.items():
        print(f"{name}: {shown_share(figure)}")
    write_results(RESULTS / "replies.json", figures)


if __name__ == "__main__":
    main()
