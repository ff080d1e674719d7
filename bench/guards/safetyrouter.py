"""safetyrouter: ``BiasClassifier().classify(text)``, then the two thresholds of its router.

An alarm is either of its escalations: the emergency (``self_harm``) or the helpline (``severe_distress``,
``existential_crisis`` or ``emotional_dependency``). It has no rules without a model: its classifier asks
gemma3n of an Ollama server on this machine; where there is none, this fails and says so.
"""

import asyncio
import json
import sys

from safetyrouter import SafetyRouterConfig
from safetyrouter.classifier import BiasClassifier

config = SafetyRouterConfig()
classifier = BiasClassifier(model=config.classifier_model)
HELPLINE = ("severe_distress", "existential_crisis", "emotional_dependency")

for line in sys.stdin:
    scores = asyncio.run(classifier.classify(json.loads(line)["text"]))["mental_health"]
    emergency = scores.get("self_harm", 0.0) >= config.self_harm_threshold
    print(json.dumps(emergency or max(scores.get(n, 0.0) for n in HELPLINE) >= config.helpline_threshold))
