"""rrt-advocate: ``CrisisEngine(user).assess(text)``, a new engine for each message.

An alarm is any level but GREEN, as in its README ("route to appropriate support"). VADER, an optional
dependency, is not installed: its own heuristic stands in.
"""

import json
import sys

from rrt_advocate import CrisisEngine, CrisisLevel

for number, line in enumerate(sys.stdin):
    assessment = CrisisEngine(f"user-{number}").assess(json.loads(line)["text"])
    print(json.dumps(assessment.crisis_level is not CrisisLevel.GREEN))
