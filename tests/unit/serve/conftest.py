"""An assistant of real safety, real recall over three pairs, and a scripted model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from smallhours.domain.messages import Message, Role
from smallhours.domain.records import Example
from smallhours.domain.settings import GenerationSettings
from smallhours.llm.engines.scripted import ScriptedEngine
from smallhours.safety.pipeline import SafetyPipeline
from smallhours.semantics.vectors import SentenceVectors
from smallhours.serve.assistant import Assistant
from smallhours.serve.recall import Recall

GOOD = (
    "A racing mind at bedtime is tiring. Try writing the worry on paper, then leave the paper in another "
    "room. If nights stay like this, a doctor can look at your sleep with you."
)
VETTED = {
    "i cant sleep because my mind races": "Nights are long when the mind runs. Get up, sit in dim light, "
    "and read something dull for a while.",
    "my boss shouts at me": "Being shouted at wears anyone down. Note what was said and when, "
    "and talk to somebody you trust at work.",
    "i feel lonely in this new city": "A new city can feel very quiet. Pick one small place and go there "
    "every week, so that faces become familiar.",
}


def vetted_pairs() -> list[Example]:
    return [
        Example(
            id=str(n), messages=(Message(role=Role.USER, content=q), Message(role=Role.ASSISTANT, content=a))
        )
        for n, (q, a) in enumerate(VETTED.items())
    ]


@pytest.fixture(scope="session")
def recall() -> Recall:
    return Recall.of(vetted_pairs(), SentenceVectors())


Build = Callable[..., Assistant]


@pytest.fixture
def build(recall: Recall) -> Build:
    def make(
        script: Sequence[str | Exception] | None = (GOOD,),
        base: Sequence[str] | None = None,
        **settings: object,
    ) -> Assistant:
        return Assistant(
            SafetyPipeline(),
            ScriptedEngine(script) if script is not None else None,
            recall,
            GenerationSettings.model_validate({"vetted_first": 0.55, **settings}),
            base_engine=ScriptedEngine(base, "base") if base else None,
        )

    return make
