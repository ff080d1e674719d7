"""How long the safety path takes for a message, and in how much memory, beside a keyword list.

    python -m bench.safety

Everything runs on one core, in a process of its own. The messages are made on the spot from the questions of
the built-in pairs: stretches of 10 and 60 words, each different, so that nothing is remembered. The keyword
list stands for the least that anybody does; it says what a figure is worth, not that it is as good.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.common import RESULTS, resident, write_results

LENGTHS = (10, 60)  # words
WARM = 200  # messages of each length before the clock starts: lexicons compiled, common words met
KEYWORDS = re.compile(
    r"\b(?:suicid\w*|kill myself|end my life|want to die|better off dead|self[- ]harm|cut myself|overdose|"
    r"hurt myself|no reason to live|take my life|hang myself|goodbye forever|can't go on|end it all)\b",
    re.IGNORECASE,
)


def make_messages(words: int, count: int, seed: int = 1) -> list[str]:
    """Messages of exactly so many words."""
    from smallhours.corpus.sources import builtin_pairs

    chance = random.Random(seed)
    questions = [pair.question for pair in builtin_pairs()]
    found = []
    for _ in range(count):
        message: list[str] = []
        while len(message) < words:
            message += chance.choice(questions).split()
        found.append(" ".join(message[:words]))
    return found


def run_part(part: str, count: int) -> dict[str, float]:
    """One part, in this process: figures by name."""
    if part == "keywords":
        return _times("keyword list", KEYWORDS.search, {n: make_messages(n, count) for n in LENGTHS})
    from smallhours.domain.messages import Conversation
    from smallhours.safety import SafetyPipeline

    pipeline = SafetyPipeline()
    if part == "memory":
        pipeline.screen_input(Conversation.of("i had a long day and cannot sleep. what helps?"))
        return {"memory after one message": resident()}
    messages = {n: make_messages(n, count + WARM) for n in LENGTHS}
    for text in (text for texts in messages.values() for text in texts[count:]):
        pipeline.screen_input(Conversation.of(text))
    told = {n: [Conversation.of(text) for text in texts[:count]] for n, texts in messages.items()}
    figures = _times("one message", pipeline.screen_input, told)
    for n, conversations in told.items():
        began = time.perf_counter()
        for _ in pipeline.screen_many(conversations):
            pass
        figures[f"many messages, {n} words, mean"] = 1000 * (time.perf_counter() - began) / count
    return figures | {"memory after many messages": resident()}


def _times(name: str, screen: Any, messages: dict[int, list[Any]]) -> dict[str, float]:
    figures = {}
    for words, asked in messages.items():
        taken = []
        for one in asked:
            began = time.perf_counter()
            screen(one)
            taken.append(1000 * (time.perf_counter() - began))
        taken.sort()
        figures[f"{name}, {words} words, p50"] = taken[len(taken) // 2]
        figures[f"{name}, {words} words, p95"] = taken[int(0.95 * len(taken))]
    return figures


def measured(part: str, count: int) -> dict[str, float]:
    """The figures of a part from a process of its own, on one core."""
    core = min(os.sched_getaffinity(0))
    code = (
        f"import os; os.sched_setaffinity(0, {{{core}}})\n"  # before numpy counts the cores
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        f"import json; from bench import safety; print(json.dumps(safety.run_part({part!r}, {count})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{part}: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure and write ``results/safety.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1000)
    count = parser.parse_args().messages
    figures = {}
    for part in ("memory", "keywords", "messages"):
        for name, value in measured(part, count).items():
            memory = name.startswith("memory")
            print(f"{name}: {value:.3g} {'MB' if memory else 'ms'}")
            figures[name] = {
                "value": round(value, 4),
                "unit": "MB" if memory else "ms",
                "against": "resident, whole process" if memory else "one core",
                "runs": 1 if memory else count,
            }
    write_results(RESULTS / "safety.json", figures)


if __name__ == "__main__":
    main()
