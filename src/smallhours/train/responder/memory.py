"""How much memory this process holds, and held at most."""

from __future__ import annotations

import sys


def resident_bytes() -> int:
    """Bytes of physical memory that the process holds now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def peak_bytes() -> int:
    """The most bytes the process ever held, whatever it did before included."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
