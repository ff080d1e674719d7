"""Charts say in words what they show and escape what they are given."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from smallhours.evaluate.charts import interval_mark, learning_curve, length_bars, nice_ticks
from smallhours.evaluate.learning import Curve

CURVE = Curve(
    train=((1, 3.1), (2, 2.9)),
    smoothed=((1, 3.1), (2, 3.0)),
    validation=((0, 3.03), (2, 2.59)),
    kept=2,
)


def test_the_learning_curve_has_a_title_a_description_and_the_kept_step() -> None:
    root = ET.fromstring(learning_curve(CURVE))
    assert root.get("role") == "img"
    assert root.findtext("title") == "Learning curve"
    assert "2.590 at step 2" in (root.findtext("desc") or "")
    assert any(text.text == "kept: step 2" for text in root.iter("text"))


@pytest.mark.parametrize(
    "curve",
    [
        Curve(validation=((0, 3.0), (5, 3.0))),
        Curve(train=((1, 2.0), (2, 2.0)), kept=99),
        Curve(train=((3, 2.0), (3, 2.0))),
    ],
)
def test_flat_short_and_odd_curves_can_be_drawn(curve: Curve) -> None:
    drawn = learning_curve(curve)
    ET.fromstring(drawn)
    assert "nan" not in drawn


def test_length_bars_fill_the_width_and_escape_labels() -> None:
    drawn = length_bars([("<b>mine</b>", [0.25, 0.25, 0.5, 0.0])])
    root = ET.fromstring(drawn)
    assert len(list(root.iter("rect"))) == 3
    assert "<b>" not in drawn
    assert "50 % medium" in (root.findtext("desc") or "")


def test_a_mark_outside_its_scale_stays_in_the_drawing() -> None:
    root = ET.fromstring(interval_mark(3.0, -2.0, 9.0, 0.5, (0.0, 1.0)))
    assert all(6 <= float(line.get("x2", "6")) <= 154 for line in root.iter("line"))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (2.3, 3.2, [2.4, 2.6, 2.8, 3.0, 3.2]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high) == pytest.approx(ticks)
