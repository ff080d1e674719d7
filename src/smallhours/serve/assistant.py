"""One message in, one reply out: the request flow of the design, start to end.

A crisis takes the first branch and touches no model, no database and no network. Whatever breaks
on the other branch ends in a vetted answer or in words that say so, never in silence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from smallhours.domain.cancellation import Cancellation
from smallhours.domain.errors import EngineError
from smallhours.domain.messages import Conversation, Role
from smallhours.domain.ports import Engine, ModelHealth, ModelIdentity, Sampling, Watched
from smallhours.domain.risk import Action, Decision, Finding, Resource
from smallhours.domain.settings import GenerationSettings, Policy
from smallhours.safety import replies
from smallhours.safety.pipeline import SafetyPipeline
from smallhours.serve.generation import sample, sentences
from smallhours.serve.ranking import Candidate, best, judge
from smallhours.serve.recall import Recall, Recalled

# How many vetted pairs are looked at, and measure a generated answer, the nearer the more.
NEIGHBOURS = 8

ASKS_IF_HUMAN = "asks_if_human"  # the rule of the scope detector; what it hears is never left to a model

Source = Literal["generated", "vetted", "crisis", "boundary", "unavailable"]


@dataclass(frozen=True)
class Reply:
    """What the person gets, and how it came about."""

    text: str
    source: Source
    decision: Decision
    disclaimer: str
    resources: tuple[Resource, ...]
    identity: ModelIdentity | None
    candidates: tuple[Candidate, ...] = ()

    @property
    def parts(self) -> Iterator[str]:
        """The reply sentence by sentence, each of them screened."""
        yield from sentences(self.text)


class Assistant:
    """The safety path around a model and its vetted pairs. ``engine`` may be absent.

    ``base_engine`` answers under the policy ``base``; without one that policy is unavailable. ``spoken`` are
    the languages that the model writes well; for the others, vetted answers come first.
    """

    def __init__(
        self,
        safety: SafetyPipeline,
        engine: Engine | None,
        recall: Recall | None,
        settings: GenerationSettings,
        base_engine: Engine | None = None,
        spoken: Collection[str] = ("en",),
    ) -> None:
        self._safety = safety
        self._engine = engine
        self._base_engine = base_engine
        self._recall = recall
        self._settings = settings
        self._spoken = frozenset(spoken)
        self._fit: set[str] = set()  # vetted answers that passed; what did not is looked at again

    @property
    def identity(self) -> ModelIdentity | None:
        """Which weights answer, if any."""
        return self._engine.identity if self._engine else None

    @property
    def policy(self) -> Policy:
        """How answers are made."""
        return self._settings.policy

    @property
    def spoken(self) -> Collection[str]:
        """The languages that the model writes well; others get prepared answers."""
        return self._spoken

    def model_answers(self) -> bool:
        """Whether the model produces a token right now."""
        if self._engine is None:
            return False
        try:
            self._engine.complete(Conversation.of("Hello."), Sampling(max_tokens=1))
        except EngineError:
            return False
        return True

    def health(self) -> tuple[ModelHealth, ...]:
        """How the model's servers are; it asks nobody, so that it takes no time."""
        servers: list[ModelHealth] = []
        for engine in (self._engine, self._base_engine):
            if isinstance(engine, Watched):
                servers += engine.health()
        return tuple(servers)

    def close(self) -> None:
        """Free the models and end their processes; crises are answered as before."""
        for engine in (self._engine, self._base_engine):
            if engine is not None:
                engine.close()

    def screen(self, conversation: Conversation, earlier: Sequence[Finding] = ()) -> Decision:
        """What the safety path makes of it, and nothing else: no model, no recall. Never an error.

        ``earlier`` is what was found in turns that are no longer sent.
        """
        return self._safety.screen_input(conversation, earlier)

    def reply(
        self,
        conversation: Conversation,
        policy: Policy | None = None,
        decision: Decision | None = None,
        cancel: Cancellation | None = None,
    ) -> Reply:
        """The whole reply. Never raises for what a person wrote or a model did.

        ``decision`` is what :meth:`screen` made of the same conversation, if it was asked already. ``cancel``
        says that nobody waits any more: the generation ends, wherever it runs.
        """
        decision = decision or self.screen(conversation)
        spoken = replies.spoken_locale(conversation.locale, decision.language)
        conversation = conversation.model_copy(update={"locale": spoken})
        if decision.action is not Action.ANSWER:
            return self._crisis(conversation, decision)
        return self._answer(conversation, decision, policy or self._settings.policy, cancel)

    def _crisis(self, conversation: Conversation, decision: Decision) -> Reply:
        fixed = replies.crisis_reply(decision, conversation.locale, previous_reply=_last_reply(conversation))
        return Reply(fixed.text, "crisis", decision, fixed.disclaimer, fixed.resources, self.identity)

    def _answer(
        self, conversation: Conversation, decision: Decision, policy: Policy, cancel: Cancellation | None
    ) -> Reply:
        if policy != "base" and ASKS_IF_HUMAN in _beyond_scope(decision, len(conversation.user_texts) - 1):
            fixed = replies.identity_reply(conversation.locale, previous_reply=_last_reply(conversation))
            return self._reply(conversation, decision, fixed.text, "boundary", self.identity, [])
        language, last = decision.language, conversation.last_user_text
        near = self._recall.nearest(last, NEIGHBOURS, language) if self._recall else []
        near = [one for one in near if self._is_fit(one.pair.answer, conversation)]
        recalled = [one for one in near if self._recall and not self._recall.wording.presumed(one.pair, last)]
        bar = -1.0 if policy == "vetted" else self._settings.vetted_similarity
        engine = self._base_engine if policy == "base" else self._engine
        # A base of one language answers others badly: there, vetted words or none.
        foreign = policy == "grounded" and language not in self._spoken and self._speaks(language)
        if policy == "vetted" or foreign or engine is None or self._recall is None:
            return self._without_model(conversation, decision, recalled, bar)
        if policy == "grounded":
            settled = self._without_generating(conversation, decision, recalled)
            if settled is not None:
                return settled
        settings = self._settings.model_copy(update={"policy": policy})
        try:
            texts = sample(engine, conversation, settings, _seed(conversation), cancel)
        except EngineError:
            return self._without_model(conversation, decision, recalled, bar)
        judged = judge(
            texts,
            last,
            near,
            self._recall.encoder,
            self._recall.wording,
            lambda text: self._safety.screen_output(text, conversation),
        )
        if chosen := best(judged):
            return self._reply(conversation, decision, chosen.text, "generated", engine.identity, judged)
        return self._fallback(conversation, decision, recalled, engine.identity, judged)

    def _is_fit(self, answer: str, conversation: Conversation) -> bool:
        """Whether a vetted answer passes the output guard, which may see what whoever vetted it missed."""
        if (
            answer not in self._fit
            and self._safety.screen_output(answer, conversation, by_people=True).allowed
        ):
            self._fit.add(answer)
        return answer in self._fit

    def _speaks(self, language: str) -> bool:
        return self._recall is not None and self._recall.speaks(language)

    def _without_generating(
        self, conversation: Conversation, decision: Decision, recalled: list[Recalled]
    ) -> Reply | None:
        """The reply to what is better not left to a model: a question that was vetted as good as
        word for word, or one about a diagnosis or a medicine, which gets vetted words or the limit.
        """
        asked = _beyond_scope(decision, len(conversation.user_texts) - 1)
        if asked:
            kin = [r for r in recalled if asked & self._scope_of(r)]
            if kin:
                return self._reply(conversation, decision, kin[0].pair.answer, "vetted", self.identity, [])
            fixed = replies.boundary_reply(conversation.locale, previous_reply=_last_reply(conversation))
            return self._reply(conversation, decision, fixed.text, "boundary", self.identity, [])
        if recalled and recalled[0].similarity >= self._settings.vetted_first:
            return self._reply(conversation, decision, recalled[0].pair.answer, "vetted", self.identity, [])
        return None

    def _scope_of(self, recalled: Recalled) -> set[str]:
        return _beyond_scope(self._safety.screen_input(Conversation.of(recalled.pair.question)), 0)

    def _fallback(
        self,
        conversation: Conversation,
        decision: Decision,
        recalled: list[Recalled],
        identity: ModelIdentity | None,
        judged: list[Candidate],
    ) -> Reply:
        """Every candidate was stopped: the nearest vetted answer, or words that admit it."""
        if recalled and recalled[0].similarity >= self._settings.vetted_similarity:
            return self._reply(conversation, decision, recalled[0].pair.answer, "vetted", identity, judged)
        fixed = replies.boundary_reply(conversation.locale, previous_reply=_last_reply(conversation))
        return self._reply(conversation, decision, fixed.text, "boundary", identity, judged)

    def _without_model(
        self, conversation: Conversation, decision: Decision, recalled: list[Recalled], bar: float
    ) -> Reply:
        if recalled and recalled[0].similarity >= bar:
            return self._reply(conversation, decision, recalled[0].pair.answer, "vetted", self.identity, [])
        fixed = replies.unavailable_reply(conversation.locale, previous_reply=_last_reply(conversation))
        return Reply(fixed.text, "unavailable", decision, fixed.disclaimer, fixed.resources, self.identity)

    def _reply(
        self,
        conversation: Conversation,
        decision: Decision,
        text: str,
        source: Source,
        identity: ModelIdentity | None,
        judged: list[Candidate],
    ) -> Reply:
        disclaimer = replies.disclaimer(conversation.locale)
        return Reply(text, source, decision, disclaimer, (), identity, tuple(judged))


def _beyond_scope(decision: Decision, message: int) -> set[str]:
    """Which limits of ours the message numbered ``message`` asks us to cross."""
    return {
        f.rule for f in decision.findings if f.detector == "scope" and f.message == message and not f.excepted
    }


def _last_reply(conversation: Conversation) -> str | None:
    return next((m.content for m in reversed(conversation.messages) if m.role is Role.ASSISTANT), None)


def _seed(conversation: Conversation) -> int:
    """The same conversation gets the same answer; a retry with one more turn does not."""
    text = "\x1f".join(m.content for m in conversation.messages)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big")
