"""What a launcher (``torchrun``, ``accelerate launch``) tells the processes that it starts."""

from __future__ import annotations

import os
import sys
from typing import Any

from smallhours.domain.errors import InputError

# The commands that share their work between processes.
SHARED = ("train",)


def processes() -> int:
    """How many processes the launcher started, on all hosts together; 1 without one."""
    found = os.environ.get("WORLD_SIZE", "1")
    return int(found) if found.isdigit() else 1


def is_main() -> bool:
    """Whether this process prints: the only one, or the first of several."""
    return processes() == 1 or os.environ.get("RANK", "0") == "0"


def require_shared(command: str) -> None:
    """Refuse a command that every process would do from beginning to end.

    Raises:
        InputError: it is not one that several processes share.
    """
    if processes() > 1 and command not in SHARED:
        raise InputError(
            f"smallhours {command}: a launcher started {processes()} processes, and each would do all of it; "
            f"only 'smallhours {SHARED[0]} RUN' shares its work: start '{command}' without the launcher"
        )


def tells_of_failure() -> bool:
    """Whether it falls to this process to say what went wrong: to the first that asks.

    Before the processes know each other, it is the first of each host.
    """
    if processes() == 1:
        return True
    # Where torch is not loaded yet, there is nothing to ask; loading it takes seconds.
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_initialized():
        return os.environ.get("LOCAL_RANK", "0") == "0"
    try:
        store = torch.distributed.distributed_c10d._get_default_store()
        return bool(store.add("smallhours/failures", 1) == 1)
    except RuntimeError:
        # The store went with the process that failed first.
        return False
