"""Texts that share most of their letters in the same order, found without comparing all with all.

MinHash over runs of characters estimates the Jaccard similarity of two texts (Broder 1997, "On the
resemblance and containment of documents"); banding finds the pairs worth comparing (Leskovec, Rajaraman and
Ullman, "Mining of Massive Datasets", ch. 3). A signature takes 256 bytes, whatever the length of the text.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

HASHES = 64
RUN = 5  # bytes of a shingle: about a short word
BANDS = 16  # of 4 hashes: texts that share half of their shingles are compared nearly always

Signatures = NDArray[np.uint32]

_RANDOM = np.random.default_rng(19970611)
_FACTOR = _RANDOM.integers(1, 2**63, HASHES, dtype=np.uint64) | np.uint64(1)
_SHIFT = _RANDOM.integers(0, 2**63, HASHES, dtype=np.uint64)
_BASE = np.uint64(1_099_511_628_211)


def signature(text: str) -> Signatures:
    """The ``HASHES`` least hashes of the shingles of a text, shape (64,); a shorter text is one shingle."""
    data = np.frombuffer(text.encode("utf-8", "surrogatepass").ljust(RUN), dtype=np.uint8).astype(np.uint64)
    count = len(data) - RUN + 1
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(RUN):
        hashes = hashes * _BASE + data[offset : offset + count]
    mixed = np.unique(hashes)[None, :] * _FACTOR[:, None] + _SHIFT[:, None]
    least: Signatures = (mixed >> np.uint64(32)).min(axis=1).astype(np.uint32)
    return least


def likeness(one: Signatures, other: Signatures) -> float:
    """The estimated Jaccard similarity of two texts (0 to 1, standard error at most 0.063)."""
    return float((one == other).mean())


def alike(signatures: Signatures, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Pairs (earlier row, later row, likeness) with a likeness of at least ``threshold``.

    Of many that are all alike each is compared with the first of them only, which suffices to link them.
    Pairs below a likeness of about a half may be missed.
    """
    rows = HASHES // BANDS
    for band in range(BANDS):
        keys = np.ascontiguousarray(signatures[:, band * rows : (band + 1) * rows]).view(np.uint64)
        key = keys[:, 0] * _BASE + keys[:, 1]
        order = np.argsort(key, kind="stable")
        same = key[order[1:]] == key[order[:-1]]
        first = order[0] if len(order) else 0
        for at in np.flatnonzero(np.concatenate([[False], same])):
            if not same[at - 2] or at == 1:
                first = order[at - 1]
            found = likeness(signatures[first], signatures[order[at]])
            if found >= threshold:
                yield int(first), int(order[at]), found
