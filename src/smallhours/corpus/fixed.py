"""The turns of a conversation that no model is to learn: what the safety path says there, word for word."""

from __future__ import annotations

from smallhours.domain.messages import Conversation, Message, Role
from smallhours.domain.records import Example
from smallhours.domain.risk import RiskLevel
from smallhours.safety import replies
from smallhours.safety.pipeline import SafetyPipeline


def with_fixed_replies(example: Example, safety: SafetyPipeline) -> Example:
    """The example with every answer of weight 0 worded as the safety path words it today.

    Where the path sees no crisis in what was said before (it misses some), ``elevated`` is taken.
    """
    turns: list[Message] = []
    for turn in example.messages:
        if turn.role is Role.ASSISTANT and turn.weight == 0:
            previous = next((m.content for m in reversed(turns) if m.role is Role.ASSISTANT), None)
            decision = safety.screen_input(Conversation(messages=tuple(turns), locale=example.locale))
            if not decision.level.is_crisis:
                decision = decision.model_copy(update={"level": RiskLevel.ELEVATED})
            reply = replies.crisis_reply(decision, example.locale, previous_reply=previous)
            turn = turn.model_copy(update={"content": reply.text})
        turns.append(turn)
    return example.model_copy(update={"messages": tuple(turns)})
