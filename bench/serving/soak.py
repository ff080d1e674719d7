"""Two hundred open streams for a while: errors, and whether memory grows."""

from __future__ import annotations

import re
import statistics
import time

from bench.common import Figure, figure, missing, resident
from bench.serving.crowd import ANSWERED, REFUSED, Crowd
from bench.serving.load import get, over_stand_in
from bench.serving.plan import Plan

OPEN, BEYOND = 200, 20  # streams that the gateway lets in, and people for whom there is no place
AT_THE_MODEL = 64
SECONDS = 4.0  # of an answer
_WARMING = 10.0  # seconds before memory counts, a fifth of the soak at most


def measure(plan: Plan) -> dict[str, Figure]:
    """Over a stand-in: all of it is the gateway's doing."""
    bounds = (f"serve.parallel={AT_THE_MODEL}", f"gateway.queue={OPEN - AT_THE_MODEL}")
    with over_stand_in(SECONDS, *bounds) as served:
        crowd = Crowd(served.port, OPEN + BEYOND)
        with crowd.writing():
            inside, megabytes = _watched(served.port, served.gateway.pid, plan.soak)
    for kind, count in sorted(crowd.got.items()):
        print(f"  {kind}: {count}", flush=True)
    what = f"{OPEN + BEYOND} people for {plan.soak:.0f} s, an answer of the stand-in takes {SECONDS:.0f} s"
    tenth = max(1, len(megabytes) // 10)
    first, last = (statistics.median(part) for part in (megabytes[:tenth], megabytes[-tenth:]))
    refusals = crowd.refusals
    return {
        "open streams at the same time": figure([statistics.median(inside)], "streams", what, 0),
        "soak, errors": figure([crowd.errors], "errors", f"{what}; 429s with Retry-After are none", 0),
        "soak, answers": figure([crowd.got[ANSWERED]], "answers", what, 0),
        "soak, refusals": figure([crowd.got[REFUSED]], "429s", f"{BEYOND} people too many", 0),
        "soak, time to a refusal, median": figure([1000 * statistics.median(refusals)], "ms", what)
        if refusals
        else missing("ms", what, "nobody was refused"),
        "soak, memory at the end against its beginning": figure(
            [last / first], "x", f"{first:.0f} MB after warming up; medians of a tenth of the time", 3
        ),
    }


def _watched(port: int, pid: int, seconds: float) -> tuple[list[int], list[float]]:
    """Streams inside and resident megabytes, second by second, once it is warm."""
    time.sleep(min(_WARMING, seconds / 5))
    inside, megabytes = [], []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = re.search(r"^smallhours_inside (\S+)", get(port, "/metrics").text, re.MULTILINE)
        inside.append(int(float(found[1])) if found else 0)
        megabytes.append(resident(pid))
        time.sleep(1)
    return inside, megabytes
