"""The safety path in a process of its own, in which torch cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from smallhours.bootstrap.doctor.check import Check, error, ok
from smallhours.domain.settings import Settings

SECONDS = 120.0  # a second where nothing else runs
REMEDY = "do not serve; install the packages afresh, and if it stays so, report it"
_CRISIS = "I don't want to live anymore and I have a plan to end my life tonight."
_ORDINARY = "I have an exam on Monday and I can't sleep."
# What breaks in there, an instruction that this processor lacks included, does not end the doctor.
_ALONE = """
import json, sys
sys.modules["torch"] = None
from smallhours.domain.messages import Conversation
from smallhours.safety import replies
from smallhours.safety.pipeline import SafetyPipeline
decided = [SafetyPipeline().screen_input(Conversation.of(text)) for text in json.load(sys.stdin)]
reply = replies.crisis_reply(decided[0], "en-US")
json.dump({"crises": [d.level.is_crisis for d in decided], "levels": [d.level for d in decided],
           "broken": sorted({f.rule for d in decided for f in d.findings if f.rule == "guard_error"}),
           "words": bool(reply.text), "services": len(reply.resources)}, sys.stdout)
"""


def alone(settings: Settings) -> Iterator[Check]:
    """One message in a crisis and one that is in none, without torch."""
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, our own words
            [sys.executable, "-c", _ALONE],
            input=json.dumps([_CRISIS, _ORDINARY]),
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        yield error("safety path", f"silent for {SECONDS:.0f} s", REMEDY)
        return
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        yield error("safety path", f"does not run: {last}", REMEDY)
        return
    yield judged(json.loads(done.stdout))


def judged(found: dict[str, object]) -> Check:
    """What the process said of a message in a crisis and an ordinary one."""
    said = "a crisis message: {}, an ordinary one: {}".format(*found["levels"])  # type: ignore[misc]
    if found["broken"]:
        return error("safety path", f"a guard breaks; {said}", REMEDY)
    if found["crises"] != [True, False] or not found["words"] or not found["services"]:
        return error("safety path", f"{said}, {found['services']} services shown", REMEDY)
    return ok("safety path", f"{said}; {found['services']} services shown, no torch")
