"""Suicide and self-harm: thoughts, plans, acts, goodbyes, requests for methods, worry about others.

Not seen: irony and metaphor that no phrase lists, meaning that only a picture or a voice carries,
languages other than the thirteen of the lexicons, wordings nobody thought of. The conversation
(``conversation.py``) sees what single messages do not show.
"""

from __future__ import annotations

from smallhours.domain.risk import Finding
from smallhours.safety.matching import matcher


def detect(text: str) -> list[Finding]:
    """Findings of level ``low`` (distress, signs) to ``imminent`` in one message."""
    return matcher("crisis").find(text)
