"""pantheon-guardrails: ``CrisisProtocol().check(text)``; an alarm is ``triggered``."""

import json
import sys

from pantheon_guardrails.crisis import CrisisProtocol

protocol = CrisisProtocol()
for line in sys.stdin:
    print(json.dumps(protocol.check(json.loads(line)["text"]).triggered))
