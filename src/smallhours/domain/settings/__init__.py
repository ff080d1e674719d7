"""Settings: every default stands in the section it belongs to and nowhere else."""

from smallhours.domain.settings.corpus import CorpusSettings
from smallhours.domain.settings.evaluate import EvaluateSettings
from smallhours.domain.settings.export import ExportSettings
from smallhours.domain.settings.gateway import GatewaySettings
from smallhours.domain.settings.generation import GenerationSettings, Policy
from smallhours.domain.settings.loading import known_keys, load_settings
from smallhours.domain.settings.memory import MemorySettings
from smallhours.domain.settings.serve import ServeSettings
from smallhours.domain.settings.train import SYSTEM_PROMPT, TrainSettings
from smallhours.domain.settings.upstream import UpstreamSettings
from smallhours.domain.settings.whole import Settings

__all__ = [
    "SYSTEM_PROMPT",
    "CorpusSettings",
    "EvaluateSettings",
    "ExportSettings",
    "GatewaySettings",
    "GenerationSettings",
    "MemorySettings",
    "Policy",
    "ServeSettings",
    "Settings",
    "TrainSettings",
    "UpstreamSettings",
    "known_keys",
    "load_settings",
]
