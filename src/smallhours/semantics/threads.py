"""One thread for small matrix products.

OpenBLAS starts a thread per core and lets them spin on each other. Where other processes want the same
two cores, that made a 2 ms sentence take 220 ms (measured here); one thread is never slower for
sentences. ``threadpoolctl`` does the same for every BLAS; this does it for the one inside numpy's wheels
and leaves any other alone.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

_Get = Callable[[], int]
_Set = Callable[[int], object]


@cache
def _controls() -> tuple[_Get, _Set] | None:
    beside = Path(np.__file__).parent
    for folder in (beside.with_name("numpy.libs"), beside / ".dylibs"):
        for path in sorted(folder.glob("*openblas*")):
            try:
                library = ctypes.CDLL(str(path))
                return (
                    library.scipy_openblas_get_num_threads64_,
                    library.scipy_openblas_set_num_threads64_,
                )
            except (OSError, AttributeError):
                continue
    return None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Matrix products inside use one thread; the number before comes back. Not for overlapping use."""
    controls = _controls()
    if controls is None:
        yield
        return
    get, put = controls
    before = get()
    put(1)
    try:
        yield
    finally:
        put(before)
