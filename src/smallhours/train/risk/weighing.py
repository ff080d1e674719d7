"""Learn how it all adds up: logistic regressions in which no rule speaks against a crisis.

A rule that found something never makes a crisis less likely, so its weight is held at zero or above (bounded
L-BFGS; R. H. Byrd et al. 1995, SIAM J. Sci. Comput. 16:1190-1208). The margins are those of lines held aside
by style; with margins of lines that they know by heart, phrases would seem to add nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smallhours.safety.detectors import reply
from smallhours.safety.evidence import (
    COLUMNS,
    LEARNED,
    LONG,
    OUTRIGHT,
    Evidence,
    Scores,
    columns,
    kind,
    length,
    telling,
)
from smallhours.safety.pipeline import INPUT_DETECTORS
from smallhours.train.risk.text import Line, Reply

Floats = NDArray[np.float64]

# Of ordinary text held aside, much of it written to mislead; docs/log.md has the curves.
ALARMS = {"long": 0.12, "long_other": 0.15, "short": 0.05, "short_other": 0.10}
# The phrases of other languages were widened with these very lines in view, so the lines say too much for
# them. Of 40 crises and 24 ordinary messages written afterwards they found 12 and 2: odds of 3.6, whose
# logarithm this is.
MOST = {"long_other": 1.3}
GOOD_STOPPED = 0.08  # of good replies held aside, most written to look harmful; of vetted ones it is 2 %
PRECISE = 0.9  # the share of harmful ones among the replies that a rule meets, from which on it stands
LEAST = 5  # lines in which a rule must have spoken to have a weight of its own
FEWEST = 40  # lines of a kind to learn from; with fewer the weights are those of the head alone
PULL = 1.0  # towards zero, for a rule's weight
SLIGHT_PULL = 0.01  # for the others


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a line before anything is added up."""

    line: Line
    scores: Scores
    rules: tuple[str, ...]

    @property
    def words(self) -> int:
        """How long it is."""
        return length(self.line.text)

    @property
    def kind(self) -> str:
        """Which weights it is weighed by."""
        return kind(self.line.text)

    @property
    def is_outright(self) -> bool:
        """Whether it says something that is not weighed."""
        return bool(OUTRIGHT & set(self.rules))

    @property
    def weighed_rules(self) -> tuple[str, ...]:
        """The rules that are added up; in short messages they stand."""
        return self.rules if self.words >= LONG else ()


def above(scores: Sequence[float] | Floats, share: float) -> float:
    """The lowest threshold that at most ``share`` of ``scores`` reach; infinite if more of them are."""
    order = np.sort(np.asarray(scores, dtype=float))[::-1]
    allowed = math.floor(share * len(order))
    return round(float(order[min(allowed, len(order) - 1)]) + 1e-4, 4)


def rules_found(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """For each line, the rules that by themselves would make it a crisis."""
    detectors = [detect for name, detect in INPUT_DETECTORS.items() if name not in LEARNED]
    each = ([f for detect in detectors for f in detect(line.text)] for line in lines)
    return [tuple(sorted({f.rule for f in telling(findings)})) for findings in each]


def weigh(seen: Sequence[Seen]) -> dict[str, Evidence]:
    """Weights and threshold for each kind of message."""
    return {
        name: _of_kind([one for one in seen if one.kind == name], alarms, MOST.get(name))
        for name, alarms in ALARMS.items()
    }


def reply_rules(replies: Sequence[Reply]) -> list[tuple[str, ...]]:
    """For each reply, the phrase rules that would forbid it."""
    each = ([*reply.detect(one.text), *reply.detect_wide(one.text)] for one in replies)
    return [tuple(sorted({f.rule for f in found if not f.excepted})) for found in each]


def weigh_replies(
    replies: Sequence[Reply], margins: Sequence[float], rules: Sequence[tuple[str, ...]]
) -> Evidence:
    """Weights of the reader's margin and of imprecise rules, for replies held aside by style.

    A rule that hardly meets good replies is not weighed: it forbids whatever the reader says.
    """
    harmful = np.array([one.is_harmful for one in replies])
    hits = {n: np.array([n in said for said in rules]) for n in sorted({n for said in rules for n in said})}
    names = [n for n, hit in hits.items() if hit.sum() >= LEAST and harmful[hit].mean() < PRECISE]
    clipped = np.array([columns(Scores(0.0, margin), 0)[1] for margin in margins])
    said = np.array([hits[name] for name in names], dtype=float).reshape(len(names), len(replies)).T
    found = [round(weight, 4) for weight in _minimum(clipped[:, None], said, harmful, None)]
    weights = Evidence(
        bias=found[0],
        common=(0.0, found[1], *[0.0] * (COLUMNS - 2)),
        rules=dict(zip(names, found[2:], strict=True)),
    )
    totals = np.array([weights.of_reply(*one) for one in zip(margins, rules, strict=True)])
    return weights.model_copy(update={"threshold": above(totals[~harmful], GOOD_STOPPED)})


def is_stopped(weights: Evidence, margin: float, rules: Sequence[str]) -> bool:
    """Whether a reply would not be sent, for its margin and the phrase rules found in it."""
    return weights.of_reply(margin, rules) >= 0 or not weights.rules.keys() >= set(rules)


def is_found(scales: Mapping[str, Evidence], one: Seen) -> bool:
    """Whether a line counts as a crisis."""
    return _total(scales[one.kind], one) >= 0


def _of_kind(seen: Sequence[Seen], alarms: float, most: float | None) -> Evidence:
    open_ones = [one for one in seen if not one.is_outright]
    if len(open_ones) < FEWEST or len({one.line.is_crisis for one in open_ones}) < 2:
        return Evidence(bias=0.0, common=(1.0, *[0.0] * (COLUMNS - 1)))
    weights = _fitted(open_ones, most)
    ordinary = [one for one in seen if not one.line.is_crisis]
    threshold = above([_total(weights, one) for one in ordinary], alarms)
    return weights.model_copy(update={"threshold": threshold if math.isfinite(threshold) else 0.0})


def _total(weights: Evidence, one: Seen) -> float:
    """The sum for a line; infinite where what it says counts whatever the sum."""
    if one.is_outright or (one.rules and one.words < LONG):
        return math.inf
    return weights.total(one.scores, one.words, one.weighed_rules)


def _fitted(seen: Sequence[Seen], most: float | None) -> Evidence:
    counts = Counter(rule for one in seen for rule in set(one.weighed_rules))
    names = sorted(rule for rule, count in counts.items() if count >= LEAST)
    common = np.array([columns(one.scores, one.words) for one in seen])
    said = np.array([[name in one.weighed_rules for name in names] for one in seen], dtype=float)
    truth = np.array([one.line.is_crisis for one in seen])
    found = [round(w, 4) for w in _minimum(common, said.reshape(len(seen), len(names)), truth, most)]
    after = 1 + COLUMNS
    return Evidence(
        bias=found[0],
        common=tuple(found[1:after]),
        rules={name: weight for name, weight in zip(names, found[after:], strict=True) if weight > 0},
    )


def _minimum(common: Floats, said: Floats, truth: NDArray[np.bool_], most: float | None) -> list[float]:
    """Bias, weights of the common columns (free), weights of the rules (from zero to ``most``)."""
    from scipy.optimize import minimize

    table = np.hstack([np.ones((len(truth), 1)), common, said])
    pull = np.array([0.0] + [SLIGHT_PULL] * common.shape[1] + [PULL] * said.shape[1])
    sign = np.where(truth, 1.0, -1.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        away = sign * (table @ weights)
        slope = -sign / (1 + np.exp(np.minimum(away, 500)))
        total = float(np.logaddexp(0, -away).sum() + (pull * weights**2).sum())
        return total, table.T @ slope + 2 * pull * weights

    bounds = [(None, None)] * (1 + common.shape[1]) + [(0, most)] * said.shape[1]
    found = minimize(loss, np.zeros(table.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds)
    return [float(weight) for weight in found.x]
