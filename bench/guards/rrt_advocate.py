"""rrt-advocate: ``CrisisEngine(user).assess(text)``, with ``reset_session()`` after each message.

An alarm is any level but GREEN, as in its README ("route to appropriate support"). VADER, an optional
dependency, is not installed: its own heuristic stands in.
"""

import json
import sys

from rrt_advocate import CrisisEngine, CrisisLevel

engine = CrisisEngine("exam")
for line in sys.stdin:
    assessment = engine.assess(json.loads(line)["text"])
    print(json.dumps(assessment.crisis_level is not CrisisLevel.GREEN))
    engine.reset_session()
