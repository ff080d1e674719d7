"""Pairs that several people review on the pages of a server, into one file of sign-offs."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from smallhours.corpus.review.ledger import read_ledger, sign_offs_path
from smallhours.corpus.review.session import Review
from smallhours.corpus.review.status import review_status
from smallhours.corpus.sources import Reading, load_pairs
from smallhours.domain.errors import DataError
from smallhours.domain.records import Example
from smallhours.domain.reviewing import Status
from smallhours.domain.sign_offs import Reviewer

_Stamp = tuple[int, int, int]


class Room:
    """The pairs of ``data``, read when somebody first comes in and again when their file has changed.

    ``sign_offs`` is the file that verdicts go to; by default the one beside the data.
    """

    def __init__(self, data: str, sign_offs: Path | None = None, reading: Reading | None = None) -> None:
        self._data = data
        self._reading = reading
        self._file = sign_offs_path(data, sign_offs)
        self._known: tuple[_Stamp | None, list[Example]] | None = None
        self._one_reads = Lock()

    def check(self) -> None:
        """Raises DataError where a review could not begin: nothing to read, or no folder for sign-offs."""
        self.status()
        if not self._file.parent.is_dir():
            raise DataError(f"{self._file}: the folder {self._file.parent} does not exist")

    def enter(self, reviewer: Reviewer, api_key: str) -> Review:
        """The review of who came in with the key of that id. Raises DataError: no pairs to be had."""
        return Review(self._pairs(), self._file, reviewer, api_key=api_key)

    def status(self) -> Status:
        """Where the review stands. Raises DataError: the pairs or the sign-offs cannot be read."""
        return review_status(self._pairs(), read_ledger(self._file))

    def _pairs(self) -> list[Example]:
        with self._one_reads:
            stamp = self._stamp()
            if self._known is None or self._known[0] != stamp:
                self._known = stamp, load_pairs(self._data, self._reading)
            return self._known[1]

    def _stamp(self) -> _Stamp | None:
        """Tells one state of the file from another; None where there is no file of the operator's own."""
        try:
            found = Path(self._data).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size
