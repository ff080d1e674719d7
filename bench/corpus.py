"""How long the corpus stage takes for many rows, and in how much memory: check, and build without the screen.

    python -m bench.corpus --rows 1000000

The rows are made on the spot from words of the built-in pairs, so that nearly all of them differ. Each part
runs in a process of its own; memory is that process's peak. There is no peer to compare with in the same run:
the figures say what this machine needs.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.common import RESULTS, figure, write_results
from smallhours.corpus.sources import builtin_pairs

TOPICS = 40


def make_rows(path: Path, rows: int, seed: int = 1) -> None:
    """JSON Lines of questions (8 words) and answers (50 words), drawn at random."""
    chance = random.Random(seed)
    words = sorted({word for pair in builtin_pairs() for word in pair.answer.split()})
    with path.open("w", encoding="utf-8") as stream:
        for number in range(rows):
            row = {
                "question": " ".join(chance.choices(words, k=8)),
                "answer": " ".join(chance.choices(words, k=50)),
                "topic": f"topic {number % TOPICS}",
            }
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def run_part(part: str, path: Path) -> None:
    """One part, in this process."""
    if part == "check":
        from smallhours.cli.main import run

        sys.exit(run(["corpus", "check", str(path), "--no-screen"]))
    from smallhours.corpus.build import build_dataset
    from smallhours.domain.settings import Settings
    from smallhours.semantics.vectors import shared_vectors

    build_dataset(Settings(data=str(path)), path.parent / "dataset", shared_vectors())


def measured(part: str, path: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of a part in a process of its own."""
    began = time.perf_counter()
    code = (
        f"import resource, sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        f"from bench import corpus; from pathlib import Path\n"
        f"try: corpus.run_part({part!r}, Path({str(path)!r}))\n"
        "finally: print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    peak = next((line.split()[1] for line in done.stdout.splitlines() if line.startswith("PEAK")), None)
    if peak is None:
        raise SystemExit(f"{part}: {done.stderr[-2000:]}")
    return time.perf_counter() - began, int(peak) / 1024


def main() -> None:
    """Measure and write ``results/corpus.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--parts", nargs="+", default=["check", "build"])
    given = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        make_rows(path, given.rows)
        for part in given.parts:
            seconds, megabytes = measured(part, path)
            print(f"{part}: {given.rows:,} rows, {seconds:.0f} s, {megabytes:.0f} MB")
            against = f"{given.rows} rows"
            figures[f"{part} seconds"] = figure([seconds], "s", against)
            figures[f"{part} peak memory"] = figure([megabytes], "MB", against, digits=0)
    write_results(RESULTS / "corpus.json", figures)


if __name__ == "__main__":
    main()
