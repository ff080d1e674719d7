"""Charts of the learned risk head, and of the loss by topic: inline SVG that says what it shows."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup, escape

from smallhours.evaluate.charts import BOTTOM, CURVE_HEIGHT, LEFT, RIGHT, WIDTH, Frame, nice_ticks, svg
from smallhours.evaluate.curves import HeadCurves, Point
from smallhours.evaluate.learning import Topic

TOPIC_ROW, TOPIC_LEFT, NAME_LENGTH = 26.0, 220.0, 26


def recall_curve(curves: HeadCurves) -> Markup:
    """Recall (upright) against false alarms (across), both 0 to 100 %."""
    frame = Frame(0.0, 1.0, 0.0, 1.0, percent=True)
    line = [(0.0, 0.0), *((one.false_alarms, one.recall) for one in curves.points)]
    parts = [
        *frame.axes(),
        frame.line(line, "train"),
        *_marked(frame, curves.chosen, "val", "head, as set"),
        *_marked(frame, curves.whole, "whole", "rules and head"),
    ]
    described = (
        f"The head alone finds {curves.chosen.recall * 100:.0f} % of the crises at "
        f"{curves.chosen.false_alarms * 100:.0f} % false alarms where it is set; rules and head find "
        f"{curves.whole.recall * 100:.0f} % at {curves.whole.false_alarms * 100:.0f} %."
    )
    return svg("recall", CURVE_HEIGHT, "Recall curve of the risk head", described, parts)


def calibration(curves: HeadCurves) -> Markup:
    """The share of crises (upright, with intervals) in bins of the head's score (across, lowest first)."""
    bins = curves.bins
    frame = Frame(0.0, float(len(bins)), 0.0, 1.0, percent=True)
    floor = CURVE_HEIGHT - BOTTOM
    parts = []
    for tick in nice_ticks(0.0, 1.0):
        y = frame.y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="end" x="{LEFT - 8}" y="{y:.1f}" dy="0.35em">{tick * 100:g}\u202f%</text>')
    for number, one in enumerate(bins):
        x, share = frame.x(number + 0.5), one.crises
        low, high = share.low or 0.0, share.high if share.high is not None else share.value
        parts.append(
            f'<line class="span" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.y(low):.1f}" y2="{frame.y(high):.1f}"/>'
        )
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{frame.y(share.value):.1f}" r="5"/>')
        middle = (one.low + one.high) / 2
        shown = f"{middle:+.1f}".replace("-", "\u2212")
        parts.append(f'<text class="mid" x="{x:.1f}" y="{floor + 26}">{shown}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}"/>')
    described = "; ".join(
        f"score {one.low:+.2f} to {one.high:+.2f}: {one.crises.value * 100:.0f} % crises (n = {one.crises.n})"
        for one in bins
    )
    return svg("calibration", CURVE_HEIGHT, "Calibration of the risk head", described, parts)


def topic_bars(topics: Mapping[str, Topic]) -> Markup:
    """A line from the loss before to the loss after for each topic, the hardest after tuning on top."""
    ranked = sorted(topics.items(), key=lambda item: -item[1].tuned.value)
    values = [figure.value for _, one in ranked for figure in (one.base, one.tuned)]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    height = len(ranked) * TOPIC_ROW + BOTTOM

    def x(loss: float) -> float:
        return TOPIC_LEFT + 12 + (loss - low) / span * (WIDTH - TOPIC_LEFT - RIGHT - 24)

    parts = []
    for tick in nice_ticks(low, high):
        at = x(tick)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{height - BOTTOM:.0f}"/>')
        parts.append(f'<text class="mid" x="{at:.1f}" y="{height - BOTTOM + 26:.0f}">{tick:g}</text>')
    for row, (name, one) in enumerate(ranked):
        y = row * TOPIC_ROW + TOPIC_ROW / 2
        short = name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"
        before, after = x(one.base.value), x(one.tuned.value)
        parts += [
            f'<text class="end" x="{TOPIC_LEFT}" y="{y:.1f}" dy="0.35em">{escape(short)}</text>',
            f'<line class="span" x1="{before:.1f}" x2="{after:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<circle class="val" cx="{before:.1f}" cy="{y:.1f}" r="5"/>',
            f'<circle class="dot" cx="{after:.1f}" cy="{y:.1f}" r="5"/>',
        ]
    described = "; ".join(
        f"{name}: {one.base.value:.2f} before, {one.tuned.value:.2f} after" for name, one in ranked
    )
    return svg("topics", height, "Loss by topic, before and after", described, parts)


def _marked(frame: Frame, point: Point, name: str, label: str) -> list[str]:
    x, y = frame.x(point.false_alarms), frame.y(point.recall)
    shift = 20 if name == "val" else -12
    return [
        f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="6"/>',
        f'<text class="start" x="{x + 12:.1f}" y="{y + shift:.1f}">{escape(label)}</text>',
    ]
