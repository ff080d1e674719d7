"""What the crisis screen finds, and what it takes for a crisis by mistake, beside published guards.

    python -m bench.detection

Everybody reads the same messages, those of ``bench/exam/``, one at a time and without a model server or a
network. Shares carry Wilson's 95 % interval. The curve moves the threshold of what the screen adds up
(``safety/evidence.py``) over the same messages: it is reported, and nothing is chosen by it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.common import RESULTS, Figure, missing, share_of, shown_share, write_results
from bench.environments import PeerUnavailableError, last_line, peer_python
from bench.safety import KEYWORDS
from smallhours.domain.messages import Conversation
from smallhours.domain.risk import RiskLevel
from smallhours.safety.evidence import length

HERE = Path(__file__).parent
EXAM = HERE / "exam"
CURVE = HERE.parent / "docs" / "images" / "detection_curve.png"
GUARDS = {  # script under guards/: list of its environment under peers/
    "pantheon": "pantheon-guardrails",
    "rrt_advocate": "rrt-advocate",
    "safetyrouter": "safetyrouter",
    "litellm_filter": "litellm",
}
GUARD_SECONDS = 600
FILES = ("posts.jsonl", "languages.jsonl", "kinds.jsonl")
LENGTHS = (15, 40, 100)  # words; the bounds of the groups
SHIFTS = [step / 4 for step in range(-40, 41)]  # log-odds added to the threshold

Post = dict[str, Any]
Curve = list[dict[str, float]]


def read_posts(folder: Path = EXAM) -> list[Post]:
    """The messages of the exam: English ones above all, other languages, and those of one kind each."""
    texts = [(folder / name).read_text(encoding="utf-8") for name in FILES]
    return [json.loads(line) for text in texts for line in text.splitlines() if line.strip()]


def is_crisis(post: Post) -> bool:
    """Whether the labeller called it ``elevated`` or worse."""
    return RiskLevel(post["level"]).is_crisis


def by_ours(texts: Sequence[str]) -> list[bool]:
    """Which of the texts the safety path takes for a crisis."""
    from smallhours.safety import SafetyPipeline

    told = [Conversation.of(text) for text in texts]
    return [decision.level.is_crisis for decision in SafetyPipeline().screen_many(told)]


def by_keywords(texts: Sequence[str]) -> list[bool]:
    """Which of the texts hold a keyword."""
    return [bool(KEYWORDS.search(text)) for text in texts]


def by_guard(script: Path, python: Path, texts: Sequence[str], seconds: float = GUARD_SECONDS) -> list[bool]:
    """Which of the texts a guard's script calls an alarm.

    Raises:
        PeerUnavailableError: it failed, took longer than ``seconds``, or did not answer once for each text.
    """
    asked = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    command = [str(python), "-I", str(script)]  # apart from our packages and from scripts of its own name
    try:
        done = subprocess.run(
            command, input=asked, capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise PeerUnavailableError(f"not done after {seconds:.0f} s") from None
    if done.returncode:
        raise PeerUnavailableError(f"exit code {done.returncode}: {last_line(done.stderr or done.stdout)}")
    try:
        answers = [json.loads(line) for line in done.stdout.splitlines()]
    except json.JSONDecodeError:
        raise PeerUnavailableError("answered something else than JSON Lines") from None
    if len(answers) != len(texts) or not all(isinstance(one, bool) for one in answers):
        raise PeerUnavailableError(f"gave {len(answers)} answers to {len(texts)} messages")
    return answers


def groups(posts: Sequence[Post]) -> Iterator[tuple[str, list[int]]]:
    """Names of the figures and the rows behind each: found among crises, false alarms among the others."""
    for what, wanted in (("found", True), ("false alarms", False)):
        rows = [row for row, post in enumerate(posts) if is_crisis(post) is wanted]
        yield what, rows
        for label in ("category", "level", "language", "length", "kind"):
            values = {row: _labelled(posts[row], label) for row in rows}
            for value in sorted({str(value) for value in values.values() if value is not None}):
                yield f"{what}, {label} {value}", [row for row in rows if str(values[row]) == value]


def _labelled(post: Post, label: str) -> Any:
    return _length(post) if label == "length" else post.get(label)


def _length(post: Post) -> str:
    words = length(post["text"])
    least, most = 0, None
    for bound in LENGTHS:
        if words < bound:
            most = bound - 1
            break
        least = bound
    return f"{least}-{most} words" if most else f"{least}+ words"


def figures_of(name: str, posts: Sequence[Post], alarms: Sequence[bool]) -> dict[str, Figure]:
    """Every share of one detector with its 95 % interval; ``runs`` counts messages."""
    found = {}
    for group, rows in groups(posts):
        if rows:
            hits = sum(alarms[row] for row in rows)
            found[f"{name}: {group}"] = share_of(hits, len(rows), "bench/exam")
    return found


def measured(
    name: str, posts: Sequence[Post], detect: Callable[[list[str]], list[bool]]
) -> dict[str, Figure]:
    """The figures of one detector, or why there are none."""
    try:
        alarms = detect([post["text"] for post in posts])
    except PeerUnavailableError as error:
        return {
            f"{name}: {what}": missing("share", "bench/exam", str(error))
            for what in ("found", "false alarms")
        }
    return figures_of(name, posts, alarms)


def swept(posts: Sequence[Post], shifts: Sequence[float] = SHIFTS) -> Curve:
    """Found crises and false alarms with the threshold of the evidence moved by each of ``shifts``.

    What somebody says outright, and phrases in short messages, count at any threshold; there it begins.
    """
    from smallhours.safety import evidence, policy
    from smallhours.safety.pipeline import INPUT_DETECTORS

    texts = [post["text"] for post in posts]
    seen = [[f for detect in INPUT_DETECTORS.values() for f in detect(text)] for text in texts]
    found = []
    for shift in shifts:
        scales = {
            name: one.model_copy(update={"threshold": one.threshold + shift})
            for name, one in evidence.shipped().items()
        }
        weighed = (
            evidence.weighed(findings, text, scales) for text, findings in zip(texts, seen, strict=True)
        )
        alarms = [policy.decide(policy.joined(one), "und").level.is_crisis for one in weighed]
        found.append({"shift": shift} | _point(posts, alarms))
    return found


def _point(posts: Sequence[Post], alarms: Sequence[bool]) -> dict[str, float]:
    crisis = [is_crisis(post) for post in posts]
    hits = sum(alarm and wanted for alarm, wanted in zip(alarms, crisis, strict=True))
    return {
        "found": hits / sum(crisis),
        "false_alarms": (sum(alarms) - hits) / (len(posts) - sum(crisis)),
    }


def draw_curve(curve: Curve, figures: dict[str, Figure], target: Path = CURVE) -> None:
    """The curve as a PNG of 1200 by 750 pixels, the shipped threshold on it and each guard as a point."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Picture

    picture = Picture(figsize=(8, 5), dpi=150, layout="constrained")
    FigureCanvasAgg(picture)
    axes = picture.add_subplot()
    axes.plot([100 * p["false_alarms"] for p in curve], [100 * p["found"] for p in curve], color="#3d5a80")
    for below, name in enumerate(("ours", "keyword list", *GUARDS)):
        found, alarms = figures[f"{name}: found"]["value"], figures[f"{name}: false alarms"]["value"]
        if found is not None:
            place = (100 * alarms, 100 * found)
            ours = name == "ours"
            axes.plot(*place, "o", color="#c8553d" if ours else "#7a8794")
            axes.annotate(
                "the threshold that ships" if ours else name,
                place,
                xytext=(place[0] + 2, place[1] - 1) if ours else (20, 26 - 5 * below),
                arrowprops=None if ours else {"arrowstyle": "-", "color": "#7a8794", "linewidth": 0.6},
                va="center",
            )
    axes.set(xlim=(0, 100), ylim=(0, 102))
    axes.set_xlabel("taken for a crisis by mistake (% of other messages)")
    axes.set_ylabel("crises found (%)")
    axes.spines[["top", "right"]].set_visible(False)
    picture.savefig(target, format="png")


def main() -> None:
    """Measure, print, and write ``results/detection.json`` and the curve."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    posts = read_posts()
    figures = measured("ours", posts, by_ours) | measured("keyword list", posts, by_keywords)
    for script, peer in GUARDS.items():
        print(f"{script}: environment {peer} ...", file=sys.stderr)

        def detect(texts: list[str], script: str = script, peer: str = peer) -> list[bool]:
            return by_guard(HERE / "guards" / f"{script}.py", peer_python(peer), texts)

        figures |= measured(script, posts, detect)
    for name, one in figures.items():
        print(f"{name}: {shown_share(one)}")
    write_results(RESULTS / "detection.json", figures)
    draw_curve(swept(posts), figures)


if __name__ == "__main__":
    main()
