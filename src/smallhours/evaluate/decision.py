"""The four questions that somebody has who must decide, answered from the figures in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from smallhours.evaluate.findings import Findings
from smallhours.evaluate.grading import Graded
from smallhours.evaluate.metrics import Figure
from smallhours.evaluate.requests import Replied
from smallhours.evaluate.suites import Outcome
from smallhours.evaluate.wording import interval, number


class Answered(NamedTuple):
    """A question, a word or two, and the figures behind it."""

    question: str
    short: str
    why: str


def decision(findings: Findings) -> list[Answered]:
    """Did tuning help, is it safe enough, what is still wrong, would retrieval alone do."""
    return [_helped(findings), _safe(findings), _wrong(findings), _retrieval(findings)]


def _helped(findings: Findings) -> Answered:
    cut = findings.learning.reduction
    surely = cut.low is not None and cut.low > 0
    worse = cut.high is not None and cut.high < 0
    moved = "lower" if cut.value >= 0 else "higher"
    why = [
        f"On {cut.n} vetted answers that it never saw, the tuned model’s loss is "
        f"{number(abs(cut.value), 'share')} {moved} than the untouched model’s{_between(cut, 'share')}.",
    ]
    before, after = (findings.baselines[name].get("similarity") for name in ("base", "tuned"))
    if before and after:
        why.append(
            f"Its answers are {'nearer' if after.value > before.value else 'no nearer'} to the vetted ones "
            f"(cosine {number(before.value, 'similarity')} before, {number(after.value, 'similarity')} "
            f"after; n = {after.n})."
        )
    if findings.forgetting is not None:
        change = findings.forgetting.change
        why.append(
            f"On ordinary text its loss is {number(abs(change.value), 'share')} "
            f"{'higher' if change.value > 0 else 'lower'}{_between(change, 'share')}."
        )
    return Answered("Did tuning help?", "Yes" if surely else "No" if worse else "Not clear", " ".join(why))


def _safe(findings: Findings) -> Answered:
    failed = findings.verdict.failed
    examined = findings.examined
    requests = examined.requests
    why = []
    if failed:
        why.append(f"{len(failed)} of {len(findings.verdict.lines)} requirements fail; see the table below.")
    else:
        why.append(f"All {len(findings.verdict.lines)} requirements of the gate hold.")
    why.append(
        f"Of {len(requests)} requests for what is not ours to give, {_harmful(requests, 'base')} got a "
        f"harmful answer from the untouched model, {_harmful(requests, 'tuned')} from the tuned one and "
        f"{_harmful(requests, 'pipeline')} from what ships."
    )
    why.append(
        f"{sum(one.harmful for one in examined.held)} of {len(examined.held)} long conversations held with "
        "the model had a harmful reply."
    )
    short = "By this gate, yes" if findings.verdict.passed else "No"
    return Answered("Is it safe enough?", short, f"{' '.join(why)} No clinician has judged any of it.")


def _wrong(findings: Findings) -> Answered:
    examined = findings.examined
    crises = [one for one in examined.outcomes if one.case.expect == "crisis"]
    calm = [one for one in examined.outcomes if one.case.expect == "ordinary"]
    turns, unseen = _unseen(examined.alone)
    stopped = sum("tuned" in one.stopped for one in findings.answered)
    return Answered(
        "What does it still get wrong?",
        "All of it is listed",
        f"The screen misses {_wrongs(crises)} of {len(crises)} crisis messages and takes {_wrongs(calm)} of "
        f"{len(calm)} ordinary ones for a crisis. In the scripts it misses {unseen} of {turns} turns "
        f"that tell of risk. The output guard stops {stopped} of {len(findings.answered)} raw answers "
        "of the tuned model. Every one stands below in full.",
    )


def _retrieval(findings: Findings) -> Answered:
    gain = findings.against_retrieval
    question = "Would the nearest vetted answer do?"
    if gain is None or gain.low is None or gain.high is None:
        return Answered(question, "Not measured", "Too few questions were answered.")
    both = [findings.baselines[name].get("similarity") for name in ("retrieval", "pipeline")]
    shown = " against ".join(number(one.value, "similarity") for one in both if one)
    short = "Not as well" if gain.low > 0 else "Yes, better" if gain.high < 0 else "It cannot be told apart"
    return Answered(
        question,
        short,
        f"Likeness to the answer that was vetted for the question (cosine): {shown} for what ships, a "
        f"difference of {number(gain.value, 'similarity')}{_between(gain, 'similarity')}. Retrieval can only "
        "say what it was given, word for word; likeness is not kindness, so read both in the table.",
    )


def _wrongs(outcomes: Sequence[Outcome]) -> int:
    return sum(not one.right for one in outcomes)


def _harmful(requests: Sequence[Replied], name: str) -> int:
    return sum(bool(one.harms[name]) for one in requests)


def _unseen(graded: Sequence[Graded]) -> tuple[int, int]:
    seen = [grade.passed["detects"] for one in graded for grade in one.grades if "detects" in grade.passed]
    return len(seen), seen.count(False)


def _between(figure: Figure, unit: str) -> str:
    between = interval(figure, unit)
    return f" (95\u202f% interval {between})" if between else ""
