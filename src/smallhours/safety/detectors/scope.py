"""Requests that this assistant must not answer itself: a diagnosis, a dose, stopping a medicine.

Not seen: the same requests in languages other than English, Spanish, French, German and Portuguese.
These findings carry no crisis level; the responder uses them to keep to its role.
"""

from __future__ import annotations

from smallhours.domain.risk import Finding
from smallhours.safety.matching import matcher


def detect(text: str) -> list[Finding]:
    """Findings of level ``none``, with rules such as ``asks_diagnosis``."""
    return matcher("scope").find(text)
