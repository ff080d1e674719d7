"""Risk across turns: it rises at once and falls slowly.

Every message of the person is screened each time, whatever the caller kept or dropped of our own turns.
Only their words are evidence: what a caller claims that we or the system said can raise the risk (a
safety question makes a "yes" mean something) and never lowers it.

Turns that are no longer sent count by what was found in them (``earlier``), if somebody kept that.

Not seen: turns that are no longer sent, where nobody kept what was found in them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files

from smallhours.domain.messages import Conversation, Role
from smallhours.domain.risk import Finding, RiskCategory, RiskLevel
from smallhours.safety.automaton import BOUNDARY
from smallhours.safety.replies import THIRD_PARTY, Question, questions
from smallhours.safety.words import words_of

Screen = Callable[[str], Sequence[Finding]]

SIGN = "sign."  # rules that mean little alone and much together
REASON = "reason."  # why signs may mean something else: takes one of them back
OTHERS_SIGN = f"{THIRD_PARTY}.sign."  # the same in somebody the person writes about
ADDED_UP = "signs_add_up"
# (turns since, what is left): the first row whose number is not exceeded holds; then ``low``.
_FADES: Mapping[RiskLevel, tuple[tuple[int, RiskLevel], ...]] = {
    RiskLevel.IMMINENT: ((2, RiskLevel.HIGH), (6, RiskLevel.ELEVATED)),
    RiskLevel.HIGH: ((4, RiskLevel.ELEVATED),),
    RiskLevel.ELEVATED: ((1, RiskLevel.ELEVATED),),
}
_SHORT = 60  # characters: people send one sentence in several messages
_JOINED = 4
_ASKED = re.compile(
    r"(?:suicid|kill(?:ing)? yourself|(?:end|tak)(?:ing|e)? your (?:own )?life|hurt(?:ing)? yourself|"
    r"harm(?:ing)? yourself|thoughts of (?:death|dying)|want(?:ing)? to die|have a plan)[^?]*\?\s*$",
    re.IGNORECASE,
)


def assess(conversation: Conversation, screen: Screen, earlier: Sequence[Finding] = ()) -> list[Finding]:
    """All findings in the person's messages, each at the weight it has now.

    ``earlier`` are findings in messages before the first that is sent, as :func:`lasting` kept them; their
    ``message`` counts back from it: -1 is the one just before.
    """
    texts = conversation.user_texts
    found = [
        *earlier,
        *(f.model_copy(update={"message": n}) for n, text in enumerate(texts) for f in screen(text)),
        *_answers(conversation),
        *_joined(texts, screen),
    ]
    found += _signs(found)
    last = len(texts) - 1
    return [_faded(f, last - f.message) for f in sorted(found, key=lambda f: f.message)]


def lasting(findings: Sequence[Finding], message: int) -> tuple[Finding, ...]:
    """What has to be kept of the newest message, numbered ``message``, so that later turns can do without it.

    What adds up across turns is added up anew each time and is not kept.
    """
    return tuple(
        f.model_copy(update={"span": (0, 0)})
        for f in findings
        if f.message == message and _lasts(f) and not f.rule.endswith(ADDED_UP)
    )


def _lasts(finding: Finding) -> bool:
    return finding.level.is_crisis or finding.rule.startswith((SIGN, OTHERS_SIGN, REASON))


def _faded(finding: Finding, age: int) -> Finding:
    if age == 0 or finding.level is RiskLevel.NONE:
        return finding
    if finding.level is RiskLevel.LOW:
        return finding.model_copy(update={"level": RiskLevel.NONE, "excepted": "earlier_turn"})
    left = next((lvl for turns, lvl in _FADES[finding.level] if age <= turns), RiskLevel.LOW)
    return finding.model_copy(update={"level": left})


def _signs(found: Sequence[Finding]) -> list[Finding]:
    """Weak signs that add up: two make ``elevated``, three or one with ideation ``high``.

    Signs in somebody else are counted apart and never make more than ``elevated``.
    """
    ideation = any(
        f.category is RiskCategory.SUICIDE and f.level.is_crisis and not _is_about_others(f) for f in found
    )
    own = _sum_of(found, SIGN, ADDED_UP, extra=ideation)
    others = _sum_of(found, OTHERS_SIGN, f"{THIRD_PARTY}.{ADDED_UP}")
    return own + others


def _sum_of(found: Sequence[Finding], prefix: str, rule: str, extra: bool = False) -> list[Finding]:
    placed = [
        (f.rule.removesuffix(".wide"), f.message)  # one meaning, in two lexicons
        for f in found
        if f.rule.startswith(prefix) and not f.excepted
    ]
    signs = {name for name, _ in placed}
    reason = not extra and any(f.rule.startswith(REASON) for f in found)
    weight = len(signs) + (1 if extra and signs else 0) - (1 if reason else 0)
    if weight < 2:
        return []
    high = prefix == SIGN and (weight > 2 or extra)
    sum_of = Finding(
        detector="conversation",
        rule=rule,
        category=RiskCategory.SUICIDE,
        level=RiskLevel.HIGH if high else RiskLevel.ELEVATED,
        message=max(number for _, number in placed),
    )
    return [sum_of]


def _is_about_others(finding: Finding) -> bool:
    return finding.rule.startswith(THIRD_PARTY)


def _joined(texts: Sequence[str], screen: Screen) -> list[Finding]:
    """What several short messages say together that none of them says alone."""
    if len(texts) < 2:
        return []
    tail: list[str] = []
    for text in reversed(texts[-_JOINED:]):
        if len(text) > _SHORT:
            break
        tail.insert(0, text.strip())
    if len(tail) < 2:
        return []
    alone = {f.rule for text in tail for f in screen(text)}
    start = len(" ".join(tail[:-1]))
    return [
        f.model_copy(update={"span": (0, len(texts[-1])), "message": len(texts) - 1})
        for f in screen(" ".join(tail))
        if f.level.is_crisis and f.rule not in alone and f.span[1] > start
    ]


@cache
def _lists() -> Mapping[str, tuple[tuple[str, ...], ...]]:
    raw = (files("smallhours.safety") / "data/lexicon/answers.toml").read_text("utf-8")
    return {key: tuple(_plain(text) for text in texts) for key, texts in tomllib.loads(raw).items()}


def _plain(text: str) -> tuple[str, ...]:
    return tuple(w for w in words_of(text).words if w != BOUNDARY)


def _says(text: str, answer: str) -> bool:
    words = _plain(text[:400])
    return any(known == words[: len(known)] for known in _lists()[answer] if known)


def _question(text: str) -> Question | None:
    said = text.rstrip()
    for question in questions():
        if said.endswith(question.text):
            return question
    if _ASKED.search(said[-400:]):
        return Question(text="", key=RiskCategory.SUICIDE.value, danger="yes")
    return None


def _answers(conversation: Conversation) -> list[Finding]:
    """Findings for answers to a safety question that the turn just before ended with."""
    found: list[Finding] = []
    number, before = -1, None
    for message in conversation.messages:
        if message.role is Role.ASSISTANT:
            before = message.content
        elif message.role is Role.USER:
            number += 1
            question = _question(before) if before else None
            before = None
            if question and _says(message.content, question.danger):
                found.append(_answer(question, number, len(message.content)))
    return found


def _answer(question: Question, number: int, length: int) -> Finding:
    known = {c.value: c for c in RiskCategory}
    return Finding(
        detector="conversation",
        rule=f"{THIRD_PARTY}.unsafe" if question.key == THIRD_PARTY else "answers_safety_question",
        category=known.get(question.key, RiskCategory.SUICIDE),
        level=RiskLevel.HIGH,
        span=(0, length),
        message=number,
    )
