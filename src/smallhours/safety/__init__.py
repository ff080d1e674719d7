"""The crisis path: what needs no model, no database and no network.

``SafetyPipeline`` screens; ``crisis_reply`` and its siblings say what no model may say.
"""

from __future__ import annotations

from smallhours.safety.pipeline import SafetyPipeline
from smallhours.safety.replies import (
    boundary_reply,
    countries,
    crisis_reply,
    disclaimer,
    resources,
    unavailable_reply,
)

__all__ = [
    "SafetyPipeline",
    "boundary_reply",
    "countries",
    "crisis_reply",
    "disclaimer",
    "resources",
    "unavailable_reply",
]
