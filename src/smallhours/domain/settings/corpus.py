"""Settings of the corpus stage."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from smallhours.domain.messages import Frozen
from smallhours.domain.values import Columns, Cosine, Data


class CorpusSettings(Frozen):
    """How pairs become a dataset."""

    # docs/log.md: at equal steps, rewordings lowered no held-out loss.
    expansion: int = Field(
        1, ge=1, le=10, description="training examples per training pair, original included; 1: no rewordings"
    )
    validation_share: float = Field(
        0.10, gt=0, lt=0.5, description="share of pairs that decides when to stop"
    )
    test_share: float = Field(0.15, gt=0, lt=0.5, description="share of pairs kept for the report")
    most_validation: int = Field(48, ge=1, description="pairs that decide when to stop, at most")
    most_test: int = Field(60, ge=1, description="pairs kept for the report, at most")
    vetted: Data = Field(
        None,
        description="more pairs to answer from, not trained on; the built-in data brings its translations",
    )
    group_similarity: float = Field(0.80, gt=0, le=1, description="answers at least this alike share a group")
    near_duplicate: float = Field(
        0.9, gt=0.5, le=1, description="a row that shares this much of an earlier one's letters is left out"
    )
    rewording_similarity_low: Cosine = Field(0.70, description="a rewording less alike (cosine) is dropped")
    rewording_similarity_high: Cosine = Field(0.99, description="and one more alike, which adds nothing")
    rewording_url: str | None = Field(None, description="an OpenAI-compatible endpoint that rewords, too")
    rewording_model: str = Field("", description="the model that it is asked for")
    rewording_key_variable: str | None = Field(None, description="NAME of the variable with its key")
    columns: Columns = Field(
        default_factory=dict,
        description="your own column names, where they are not understood: question=Frage,answer=Antwort",
    )
    sheet: str | None = Field(None, description="the worksheet of an Excel file")
    reviewed_only: bool = Field(False, description="build from pairs that are approved by a sign-off alone")
    sign_offs: Path | None = Field(
        None, description="the file of sign-offs; unset: <data>.signoffs.jsonl or signoffs.jsonl, if there"
    )
