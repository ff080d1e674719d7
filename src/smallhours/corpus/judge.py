"""Whether a rewording may stand for its question, whoever made it.

It must ask the same thing of the same answer: near its question in meaning and not a copy of it, the same
negations, numbers and clinical words, the same language, at most twice as long, with nothing of an answer in
it, and no more alarming.

Not seen: facts that change while their words stay ("she left me", "I left her"), advice in languages other
than English that says something else than the answer, and irony.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property

from smallhours.corpus.locks import LANGUAGES, locked
from smallhours.corpus.screening import Screen, read_as_ordinary
from smallhours.corpus.text import wording
from smallhours.domain.errors import SettingsError
from smallhours.domain.messages import Conversation
from smallhours.domain.records import Example
from smallhours.domain.risk import RiskLevel
from smallhours.domain.settings import CorpusSettings
from smallhours.safety.language import guess_language
from smallhours.semantics.vectors import KNOWN_LANGUAGES, Encoder, Vectors

LONGEST = 2  # times the question, in characters
# How much nearer to the answer (cosine) a rewording may come than its question is. Four in a thousand
# rewordings by rule exceed it, and most questions with a sentence of their answer behind them (docs/log.md).
TOWARDS_ANSWER = 0.15
# Languages in which the locks, the sentence vectors and the guess of the language all know their way.
JUDGED = LANGUAGES & KNOWN_LANGUAGES
# What helpers say and people in need do not, or not about themselves.
_ADVICE = re.compile(
    r"\b(?:you (?:should|could|might|may|can|need to|have to|ought to|must|deserve|are not alone)"
    r"|you're not alone|it(?:'s| is) (?:ok(?:ay)?|normal|natural|important|understandable|best|good) to"
    r"|try (?:to|a|an|some|not|the|\w+ing)|consider|remember|make sure|don't (?:worry|hesitate)|reach out"
    r"|seek|have you tried|take (?:a|some|slow|deep|one)|(?:i'm|i am) (?:so |very )?sorry (?:to|that you|you)"
    r"|(?:it|that) (?:sounds|must)|i understand|as an ai|here (?:is|are)"
    r"|(?:can|could|may|might|will) help you|one (?:small )?(?:step|thing|way) (?:is|you)"
    r"|talk(?:ing)? to (?:a|your) (?:doctor|gp|therapist|counsell?or|professional))\b",
    re.IGNORECASE,
)


class Objection(StrEnum):
    """Why a rewording is dropped."""

    REPEATED = "repeated"  # the wording is there already
    LOCKED = "locked"  # a negation, a number or a clinical word is not as it was
    LONG = "long"
    LANGUAGE = "language"
    ADVICE = "advice"  # an answer, or a part of one
    FAR = "far"  # says something else
    NEAR = "near"  # says it in the same words
    RISK = "risk"  # screens higher than its question


class Judge:
    """The bounds that every rewording is held to; that of risk only if there is a ``screen``.

    Raises:
        SettingsError: for a band of similarity that nothing can be in.
    """

    def __init__(self, settings: CorpusSettings, vectors: Encoder, screen: Screen | None = None) -> None:
        self.low, self.high = settings.rewording_similarity_low, settings.rewording_similarity_high
        self.vectors, self.screen = vectors, screen
        if self.low > self.high:
            raise SettingsError(
                f"corpus.rewording_similarity_low = {self.low} is above "
                f"corpus.rewording_similarity_high = {self.high}; nothing can be between them"
            )

    def case(self, example: Example) -> Case:
        """The question of an example, to judge its rewordings by."""
        return Case(self, example)


class Case:
    """One question and what rewordings are compared with, computed when first needed."""

    def __init__(self, judge: Judge, example: Example) -> None:
        self._judge = judge
        self._example = example

    @property
    def speaks_a_judged_language(self) -> bool:
        """Whether a rewording in its language can be judged at all."""
        return self._example.language in JUDGED

    @property
    def is_crisis(self) -> bool:
        """Whether the question screens as a crisis, and nobody has read it and found that it is none."""
        return self._risk.is_crisis and wording(self._example.question) not in read_as_ordinary()

    def objection(self, text: str) -> Objection | None:
        """What speaks against ``text``, the cheapest to find first; None if nothing does."""
        question, language = self._example.question, self._example.language
        if not self.speaks_a_judged_language or guess_language(text) != language:
            return Objection.LANGUAGE
        if locked(text, language) != self._locked:
            return Objection.LOCKED
        if len(text) > LONGEST * len(question):
            return Objection.LONG
        if _advice(text) > _advice(question):
            return Objection.ADVICE
        if objection := self._objection_to_meaning(text):
            return objection
        worded = Conversation(messages=self._example.with_question(text)[:-1], locale=self._example.locale)
        return Objection.RISK if self._level(worded) > self._risk else None

    def _objection_to_meaning(self, text: str) -> Objection | None:
        question, answer = self._vectors
        vector = self._judge.vectors.encode([text])[0]
        alike = float(vector @ question)
        if alike < self._judge.low:
            return Objection.FAR
        if alike > self._judge.high:
            return Objection.NEAR
        return Objection.ADVICE if float((vector - question) @ answer) > TOWARDS_ANSWER else None

    @cached_property
    def _locked(self) -> object:
        return locked(self._example.question, self._example.language)

    @cached_property
    def _vectors(self) -> Vectors:
        return self._judge.vectors.encode([self._example.question, self._example.answer])

    @cached_property
    def _risk(self) -> RiskLevel:
        return self._level(self._example.prompt)

    def _level(self, conversation: Conversation) -> RiskLevel:
        return self._judge.screen(conversation).level if self._judge.screen else RiskLevel.NONE


def _advice(text: str) -> int:
    return len(_ADVICE.findall(text.replace("’", "'")))
