"""What our own replies must never contain.

A diagnosis of the person, medicines with doses or orders, claims to be human or trained, promises,
minimising, agreement with self-destruction, methods, discouraging help, template debris, sexual content.

Not seen: replies that are merely useless or cold, false facts, and most languages other than English
(Spanish, French, German, Portuguese and Hindi are covered for the gravest rules only).
"""

from __future__ import annotations

from smallhours.domain.risk import Finding
from smallhours.safety.matching import matcher


def detect(text: str) -> list[Finding]:
    """Findings without category; any one of them that is not excused forbids the reply."""
    return matcher("reply").find(text)


def detect_wide(text: str) -> list[Finding]:
    """Findings of wordings that good replies come near, too: for what a model wrote alone."""
    return matcher("wide_reply").find(text)
