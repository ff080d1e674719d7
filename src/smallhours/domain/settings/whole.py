"""The resolved configuration of a run."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from smallhours.domain.messages import Frozen
from smallhours.domain.settings.corpus import CorpusSettings
from smallhours.domain.settings.evaluate import EvaluateSettings
from smallhours.domain.settings.export import ExportSettings
from smallhours.domain.settings.gateway import GatewaySettings
from smallhours.domain.settings.generation import GenerationSettings
from smallhours.domain.settings.memory import MemorySettings
from smallhours.domain.settings.serve import ServeSettings
from smallhours.domain.settings.train import TrainSettings
from smallhours.domain.settings.upstream import UpstreamSettings
from smallhours.domain.values import Data


class Settings(Frozen):
    """The resolved configuration of a run."""

    data: Data = Field(
        None,
        description="pairs: a file, hf:owner/name, or builtin:en (the default), builtin:98, builtin:en+es …",
    )
    base: str = Field(
        "embedded", description="a name from the catalog, a folder (./model) or a hub id (owner/name)"
    )
    name: str = Field(
        "default", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="name of the run folder"
    )
    runs: Path = Field(Path("runs"), description="where run folders live")
    seed: int = Field(20261101, ge=0)
    corpus: CorpusSettings = CorpusSettings()
    train: TrainSettings = TrainSettings()
    generation: GenerationSettings = GenerationSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    export: ExportSettings = ExportSettings()
    serve: ServeSettings = ServeSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    gateway: GatewaySettings = GatewaySettings()
    memory: MemorySettings = MemorySettings()

    @property
    def run_folder(self) -> Path:
        """``runs/<name>``."""
        return self.runs / self.name
