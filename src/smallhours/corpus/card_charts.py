"""The pictures of a data card: bars and histograms that can be told apart without colour.

Each is drawn from counts, goes with a text that says what it shows, and repeats what stands in a table.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smallhours.corpus.facts import TENTHS, Facts, Histogram, Tally

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Locator

FOLDER = "card"
ANSWER_BAND = (35, 70)  # words: what an answer of ours aims at
GRADE_BAND = (6, 8)  # school years: likewise
MOST_BARS = 25
MOST_BINS = 40

# The report's colours (evaluate/templates/report.css).
GROUND, LINE, TEXT, SOFT = "#fffdf9", "#ddd6ca", "#24263a", "#5a5b6e"
BAR, BAND, EDGE = "#3d4382", "#f0e2c4", "#8a5a12"
WIDTH, HEIGHT, ROW, DOTS = 8.0, 4.0, 0.27, 120  # inches, dots per inch


@dataclass(frozen=True)
class Picture:
    """A file of the card's folder and what it shows, for those who do not see it."""

    file: str
    alt: str

    @property
    def markdown(self) -> str:
        """The picture as Markdown shows it."""
        return f"![{self.alt}]({FOLDER}/{self.file})"


def draw(facts: Facts, folder: Path) -> dict[str, Picture]:
    """Draw what there is to draw into ``folder``/card; the pictures by what they show."""
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    pictures = {"topics": _names(facts.topics, "topic", target / "topics.png")}
    if len(facts.languages) > 1:
        pictures["languages"] = _names(facts.languages, "language", target / "languages.png")
    lengths = (("question", facts.questions, None), ("answer", facts.answers, ANSWER_BAND))
    for what, words, band in lengths:
        if words.n:
            pictures[f"{what}s"] = _spread(words, 1, f"words in {'an' if band else 'a'} {what}", what, band,
                                           target / f"{what}s.png")  # fmt: skip
    if facts.grades.n:
        pictures["grades"] = _spread(
            facts.grades, TENTHS, "Flesch-Kincaid grade of an answer", "English answer", GRADE_BAND,
            target / "grades.png",
        )  # fmt: skip
    return pictures


def nice_step(span: float) -> int:
    """The least of 1, 2, 5, 10, 20 … that parts ``span`` into no more than forty."""
    steps = (m * int(10**power) for power in range(12) for m in (1, 2, 5))
    return next(step for step in steps if span / step <= MOST_BINS)


def _names(tally: Tally, what: str, path: Path) -> Picture:
    """Horizontal bars, the longest on top."""
    shown = tally.ranked()[:MOST_BARS]
    left = len(tally) - len(shown)
    axes = _axes(len(shown) * ROW + 0.9, f"Pairs by {what}")
    axes.barh(range(len(shown)), [count for _, count in shown], color=BAR, height=0.7)
    axes.set_yticks(range(len(shown)), [_drawable(name, row) for row, (name, _) in enumerate(shown)])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    top = max(count for _, count in shown)
    for row, (_, count) in enumerate(shown):
        axes.annotate(f"{count:,}", (count, row), xytext=(4, 0), textcoords="offset points", va="center",
                      color=TEXT, fontsize=9)  # fmt: skip
    axes.set_xlim(0, top * 1.1)
    axes.xaxis.set_major_locator(_whole_numbers())
    axes.set_xlabel("pairs" + (f"; {left:,} more are not drawn" if left else ""))
    _save(axes, path)
    ends = f"most in {_said(shown[0][0])} ({shown[0][1]:,})"
    if len(shown) > 1:
        ends += f", fewest shown in {_said(shown[-1][0])} ({shown[-1][1]:,})"
    return Picture(path.name, f"Bar chart of pairs by {what}: {ends}.")


def _spread(
    values: Histogram, unit: int, label: str, what: str, band: tuple[int, int] | None, path: Path
) -> Picture:
    """A histogram, with the band aimed at behind it. ``values`` are in 1/``unit`` of what is drawn."""
    low, middle, high = (values.quantile(share) / unit for share in (0, 0.5, 1))
    # A few endless texts must not press the rest into one bar.
    most = values.quantile(0.99) / unit
    last = min(high, most + abs(most) / 4)
    first = min(low, *(band or (low,)))
    step = nice_step(max(last, *(band or (last,))) - first)
    bins = Counter[int]()
    for value, count in values.items():
        bins[math.floor(min(value / unit, last) / step)] += count
    axes = _axes(HEIGHT, f"{label[0].upper()}{label[1:]}")
    shift = 0.5 if unit == 1 else 0.0  # a whole number stands in the middle of its bar
    if band:
        ends = (band[0] - shift, band[1] + shift)
        axes.axvspan(*ends, facecolor=BAND, lw=0)
        for end in ends:
            axes.axvline(end, color=EDGE, ls="--", lw=1)
        axes.annotate(
            f"aim: {band[0]} to {band[1]}", (sum(band) / 2, 1), xycoords=("data", "axes fraction"),
            xytext=(0, 4), textcoords="offset points", ha="center", color=EDGE, fontsize=9,
        )  # fmt: skip
    places = [number * step - shift for number in bins]
    shown = [*places, *(place + step for place in places), *(band or ())]
    axes.set_xlim(min(shown) - step, max(shown) + step)
    axes.bar(places, list(bins.values()), width=step, align="edge", color=BAR, edgecolor=GROUND)
    axes.yaxis.set_major_locator(_whole_numbers())
    axes.set_xlabel(label + (f"; what is beyond {last:.0f} stands in the last bar" * (last < high)))
    axes.set_ylabel(f"{what}s")
    _save(axes, path)
    said = f"Histogram of {values.n:,} {what}s by {label}: {low:,.1f} to {high:,.1f}, median {middle:,.1f}"
    if band:
        inside = values.within(band[0] * unit, band[1] * unit)
        said += f"; {inside:,} lie in the shaded band from {band[0]} to {band[1]}"
    return Picture(path.name, f"{said}.")


def _axes(height: float, title: str) -> Axes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), dpi=DOTS, facecolor=GROUND)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=GROUND)
    axes.set_title(title, loc="left", color=TEXT, pad=16)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(colors=SOFT)
    axes.xaxis.label.set_color(SOFT)
    axes.yaxis.label.set_color(SOFT)
    return axes


def _whole_numbers() -> Locator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True)


def _save(axes: Axes, path: Path) -> None:
    figure = axes.get_figure(root=True)
    if figure is not None:
        # Without the name of the software the same counts give the same bytes.
        figure.savefig(path, bbox_inches="tight", metadata={"Software": None})


def _drawable(name: str, row: int) -> str:
    """The name, or where it stands in the table if the font lacks a letter of it or cannot join them."""
    from matplotlib.font_manager import findfont, get_font

    letters = get_font(findfont("DejaVu Sans")).get_charmap()
    joined = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)
    if joined or any(ord(letter) not in letters for letter in name):
        return f"row {row + 1} of the table"
    return name.replace("$", r"\$") or "(none)"


def _said(name: str) -> str:
    return "".join(letter for letter in name if letter not in "[]()\\`<>*_!") or "(none)"
