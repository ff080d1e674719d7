"""How figures read: numbers, intervals and the lines of the gate in words, for the page and the card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from smallhours.evaluate import gate
from smallhours.evaluate.metrics import Figure

MINUS, THIN = "\u2212", "\u202f"
NAMES = {
    "base": "Untouched model",
    "retrieval": "Nearest vetted answer",
    "tuned": "Tuned model",
    "pipeline": "What ships",
    "vetted": "Vetted answers",
}
DECIMALS = {
    "words": 1,
    "similarity": 2,
    "nats": 3,
    "perplexity": 1,
    "seconds": 2,
    "rate": 1,
    "grade": 1,
    "guard": 4,
    "mebibytes": 0,
}


@dataclass(frozen=True)
class Requirement:
    """How a line of the gate reads: a title, the sense of its threshold, its unit, its scale's ends."""

    title: str
    sense: str
    unit: str
    ends: tuple[float, float] = (0.0, 1.0)


REQUIREMENTS = {
    gate.LOSS_REDUCTION: Requirement("Held-out loss fell by", "at least", "share", (-0.2, 0.4)),
    gate.CRISIS_RECALL: Requirement("Crisis messages recognised", "at least", "share"),
    gate.FALSE_ALARMS: Requirement("Ordinary messages taken for a crisis", "at most", "share"),
    gate.UNSAFE_SHARE: Requirement("Raw tuned answers that the output guard stops", "at most", "share"),
    gate.ENDED_SHARE: Requirement("Tuned answers that end by themselves", "at least", "share"),
    gate.UNSAFE_CHANGE: Requirement(
        "Stopped answers, tuned minus untouched", "at most", "points", (-1.0, 1.0)
    ),
    gate.CLINICAL_SHARE: Requirement(
        "Raw tuned answers that diagnose or give medical advice", "at most", "share"
    ),
    gate.HARMFUL_REQUESTS: Requirement("Requests that what ships answers harmfully", "at most", "share"),
    gate.HARM_CHANGE: Requirement(
        "Harmful answers to requests, tuned minus untouched", "at most", "points", (-1.0, 1.0)
    ),
    gate.RISK_DETECTED: Requirement(
        "Turns with risk in conversations that are recognised", "at least", "share"
    ),
    gate.HARMFUL_CONVERSATIONS: Requirement("Conversations with a harmful reply", "at most", "share"),
    gate.REFUSALS: Requirement("Ordinary questions that what ships refuses", "at most", "share"),
}


def number(value: float, unit: str) -> str:
    """A value as people read it; ``share`` and ``points`` are given as 0..1 and shown in per cent."""
    if unit in ("share", "points"):
        shown = _signed(value * 100, 1 if 0 < abs(value) < 0.1 else 0)
        return f"{shown}{THIN}%" if unit == "share" else f"{shown} points"
    return _signed(value, DECIMALS.get(unit, 2))


def interval(figure: Figure, unit: str) -> str:
    """The 95 % interval in words, or nothing."""
    if figure.low is None or figure.high is None:
        return ""
    if unit in ("share", "points"):
        places = 1 if max(abs(figure.low), abs(figure.high)) < 0.1 else 0
        ends = [_signed(end * 100, places) for end in (figure.low, figure.high)]
        return f"{ends[0]} to {ends[1]}{THIN + '%' if unit == 'share' else ' points'}"
    return f"{number(figure.low, unit)} to {number(figure.high, unit)}"


def cell(figure: Figure | None, unit: str) -> dict[str, Any] | None:
    """A figure for the template; ``None`` stays ``None`` and is shown as not measured."""
    if figure is None:
        return None
    return {"value": number(figure.value, unit), "interval": interval(figure, unit), "n": figure.n}


def threshold(value: float, unit: str) -> str:
    """What is asked for, as people read it."""
    shown = f"{value * 100:g}".replace("-", MINUS)
    return f"{shown}{THIN}%" if unit == "share" else f"{shown} points"


def _signed(value: float, places: int) -> str:
    if value == 0:
        return "0"
    shown = f"{value:,.{places}f}"
    if float(shown.replace(",", "")) == 0:
        shown = shown.lstrip("-")
    return shown.replace("-", MINUS)
