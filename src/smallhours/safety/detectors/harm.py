"""Harm to or by others, abuse, psychosis, eating disorders, substance and medical emergencies, children.

Not seen: threats in allusions, grooming that stays friendly, illness described only by its symptoms
over several messages. It tells no symptom from any other cause; it only decides who should be called.
"""

from __future__ import annotations

from smallhours.domain.risk import Finding
from smallhours.safety.matching import matcher


def detect(text: str) -> list[Finding]:
    """Findings of level ``elevated`` to ``imminent`` in one message."""
    return matcher("harm").find(text)
