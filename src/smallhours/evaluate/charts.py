"""Charts as inline SVG. Colours come from the page's CSS classes, so that they follow light and dark.

Every chart has ``role="img"`` with a title and a description that says what it shows; the numbers stand
in a table beside it. Coordinates are in units of a drawing 640 wide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from smallhours.evaluate.learning import Curve
from smallhours.evaluate.lengths import BANDS

WIDTH = 640.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 16.0, 44.0, 46.0
CURVE_HEIGHT = 340.0
BAR, ROW = 34.0, 84.0
LABELLED = 0.09  # a segment narrower than this share has no room for its label

Points = Sequence[tuple[float, float]]


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About ``count`` round values (1, 2, 2.5 or 5 times a power of ten) from within ``low`` to ``high``."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / count))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= span / count * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def learning_curve(curve: Curve) -> Markup:
    """Training and validation loss by step, with the kept step marked."""
    values = [y for line in (curve.train, curve.smoothed, curve.validation) for _, y in line]
    steps = [x for line in (curve.train, curve.smoothed, curve.validation) for x, _ in line]
    low, high = min(values), max(values)
    margin = (high - low) * 0.06 or 0.1
    frame = Frame(0.0, max(1.0, float(max(steps))), low - margin, high + margin)
    parts = [
        *frame.axes(),
        *(f'<circle class="raw" cx="{x:.1f}" cy="{y:.1f}" r="2.2"/>' for x, y in frame.place(curve.train)),
        frame.line(curve.smoothed, "train"),
        *frame.mark(curve.kept),
        frame.line(curve.validation, "validation"),
        *(f'<circle class="val" cx="{x:.1f}" cy="{y:.1f}" r="5"/>' for x, y in frame.place(curve.validation)),
    ]
    return svg("curve", CURVE_HEIGHT, "Learning curve", _describe(curve), parts)


def length_bars(rows: Sequence[tuple[str, Sequence[float]]]) -> Markup:
    """One stacked bar per row: a label and the share (0..1) of answers in each band of words."""
    parts: list[str] = []
    for number, (label, shares) in enumerate(rows):
        top = number * ROW
        parts.append(f'<text class="name" x="0" y="{top + 22:.0f}">{escape(label)}</text>')
        at = 0.0
        for band, share in enumerate(shares):
            width = share * WIDTH
            if width > 0:
                parts.append(_segment(at, top + 32, width, band))
            if share >= LABELLED:
                middle, base = at + width / 2, top + 32 + BAR / 2
                place = f'class="in band{band}-text" x="{middle:.1f}" y="{base:.1f}"'
                parts.append(f"<text {place}>{share * 100:.0f}\u202f%</text>")
            at += width
    described = "; ".join(
        f"{label}: "
        + ", ".join(f"{share * 100:.0f} % {band.name}" for band, share in zip(BANDS, shares, strict=True))
        for label, shares in rows
    )
    return svg("lengths", len(rows) * ROW - 14, "How long the answers are", described, parts)


def interval_mark(
    value: float, low: float | None, high: float | None, threshold: float, ends: tuple[float, float]
) -> Markup:
    """A dot with its interval and a tick at the threshold, on a scale from ``ends[0]`` to ``ends[1]``.

    It repeats what the row says in words, so it is hidden from screen readers.
    """
    start, stop = ends

    def x(number: float) -> float:
        return 6 + 148 * min(1.0, max(0.0, (number - start) / (stop - start)))

    parts = ['<line class="scale" x1="6" x2="154" y1="14" y2="14"/>']
    if low is not None and high is not None:
        parts.append(f'<line class="span" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="14" y2="14"/>')
    parts.append(f'<line class="need" x1="{x(threshold):.1f}" x2="{x(threshold):.1f}" y1="3" y2="25"/>')
    parts.append(f'<circle class="dot" cx="{x(value):.1f}" cy="14" r="5"/>')
    head = '<svg class="mark" viewBox="0 0 160 28" aria-hidden="true" focusable="false">'
    return Markup(head + "".join(parts) + "</svg>")  # noqa: S704 - numbers only


class Frame:
    """Turns steps and losses, or other pairs of numbers, into places in the drawing."""

    def __init__(self, first: float, last: float, low: float, high: float, *, percent: bool = False) -> None:
        self.first, self.last, self.low, self.high = first, last, low, high
        self.percent = percent

    def x(self, step: float) -> float:
        return LEFT + (step - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def y(self, loss: float) -> float:
        return TOP + (self.high - loss) / (self.high - self.low) * (CURVE_HEIGHT - TOP - BOTTOM)

    def place(self, points: Points) -> list[tuple[float, float]]:
        return [(self.x(step), self.y(loss)) for step, loss in points]

    def axes(self) -> list[str]:
        floor, right = CURVE_HEIGHT - BOTTOM, WIDTH - RIGHT
        parts = []
        for tick in nice_ticks(self.low, self.high):
            y = self.y(tick)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            shown = f"{tick * 100:g}\u202f%" if self.percent else f"{tick:g}"
            parts.append(f'<text class="end" x="{LEFT - 8}" y="{y:.1f}" dy="0.35em">{shown}</text>')
        for tick in nice_ticks(self.first, self.last):
            if self.percent or tick == int(tick):
                x = self.x(tick)
                shown = f"{tick * 100:g}\u202f%" if self.percent else f"{tick:.0f}"
                parts.append(f'<text class="mid" x="{x:.1f}" y="{floor + 26}">{shown}</text>')
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{floor}" y2="{floor}"/>')
        return parts

    def line(self, points: Points, name: str) -> str:
        if len(points) < 2:
            return ""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in self.place(points))
        return f'<polyline class="{name}" points="{path}"/>'

    def mark(self, step: int | None) -> list[str]:
        if step is None or not self.first <= step <= self.last:
            return []
        x = self.x(step)
        side = "end" if x > WIDTH * 0.6 else "start"
        at = x - 8 if side == "end" else x + 8
        return [
            f'<line class="kept" x1="{x:.1f}" x2="{x:.1f}" y1="12" y2="{CURVE_HEIGHT - BOTTOM}"/>',
            f'<text class="kept-text {side}" x="{at:.1f}" y="26">kept: step {step}</text>',
        ]


def _segment(at: float, top: float, width: float, band: int) -> str:
    gap = 1.5 if width > 4 else 0.0
    return (
        f'<rect class="band{band}" x="{at + gap:.1f}" y="{top:.0f}" width="{width - 2 * gap:.1f}" '
        f'height="{BAR:.0f}" rx="3"/>'
    )


def _describe(curve: Curve) -> str:
    said = []
    if curve.smoothed or curve.train:
        line = curve.smoothed or curve.train
        said.append(f"Training loss goes from {line[0][1]:.2f} to {line[-1][1]:.2f} at step {line[-1][0]}.")
    if curve.validation:
        points = ", ".join(f"{loss:.3f} at step {step}" for step, loss in curve.validation)
        said.append(f"Validation loss: {points}.")
    if curve.kept is not None:
        said.append(f"The weights of step {curve.kept} were kept.")
    return " ".join(said)


def svg(name: str, height: float, title: str, description: str, parts: Sequence[str]) -> Markup:
    label, text = escape(title), escape(description)
    body = "".join(parts)
    return Markup(  # noqa: S704 - text is escaped where it is put in
        f'<svg class="chart {name}" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{label}</title>'
        f'<desc id="{name}-desc">{text}</desc>{body}</svg>'
    )
