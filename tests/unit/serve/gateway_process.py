"""A gateway in a process of its own, with a scripted model that takes its time: ``RUNS PORT SECONDS``.

Everything but the model is real: safety, memory, the server and its signals.
"""

from __future__ import annotations

import sys
import time

from smallhours.bootstrap import gateway, serving
from smallhours.domain.messages import Conversation
from smallhours.domain.settings import GenerationSettings, load_settings
from smallhours.llm.engines.scripted import ScriptedEngine
from smallhours.safety.pipeline import SafetyPipeline
from smallhours.semantics.vectors import SentenceVectors
from smallhours.serve.assistant import Assistant
from smallhours.serve.gateway.app import create_app
from smallhours.serve.recall import Recall
from tests.unit.serve.conftest import GOOD, vetted_pairs


def main() -> None:
    runs, port, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    settings = load_settings(None, {}, {"runs": runs, "serve.port": port, "memory.timeout_seconds": 20})

    pace = [0.0]

    def slow(_: Conversation, __: int) -> str:
        time.sleep(pace[0])
        return GOOD

    generation = GenerationSettings(vetted_first=1.0, candidates=1)
    recall = Recall.of(vetted_pairs(), SentenceVectors())
    assistant = Assistant(SafetyPipeline(), ScriptedEngine(slow), recall, generation)
    assistant.reply(Conversation.of("hello"))
    pace[0] = seconds
    app = create_app(assistant, settings.serve, "smallhours-test", gateway.gateway_parts(settings))
    bound = serving.bind(settings.serve)
    gateway.run_server(settings, app, bound)


if __name__ == "__main__":
    main()
