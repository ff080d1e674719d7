"""People who write all at once, and go on writing: what each got is counted."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from bench.serving.load import Answered, ask, question

_MOST_WAIT = 5.0  # seconds that a refused one waits at most, whatever it was told


class Crowd:
    """So many at a time, each asking for a streamed answer again and again; a refusal is waited out."""

    def __init__(self, port: int, people: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.got: Counter[str] = Counter()
        self.refusals: list[float] = []
        self._threads = [threading.Thread(target=self._one, daemon=True) for _ in range(people)]

    @contextmanager
    def writing(self) -> Iterator[Crowd]:
        """They write while the block runs; what they have asked then is still answered."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join()

    def _one(self) -> None:
        while not self._over.is_set():
            try:
                got = ask(self._port, question(), stream=True)
                kind = kind_of(got)
            except (OSError, http.client.HTTPException) as error:
                got, kind = None, type(error).__name__
            with self._lock:
                self.got[kind] += 1
                if got is not None and kind == REFUSED:
                    self.refusals.append(got.seconds)
            if kind != ANSWERED:
                wait = got.retry_after if got is not None and got.retry_after else 1.0
                self._over.wait(min(wait, _MOST_WAIT))

    @property
    def errors(self) -> int:
        """What was neither a whole answer nor a refusal that says when to come back."""
        return sum(count for kind, count in self.got.items() if kind not in (ANSWERED, REFUSED))


ANSWERED, REFUSED = "answered", "refused"


def kind_of(got: Answered) -> str:
    """A whole stream, an honest refusal, or what else it was."""
    if got.status == 200:
        whole = got.text.rstrip().endswith("data: [DONE]") and '"content"' in got.text
        return ANSWERED if whole else "broken stream"
    return REFUSED if got.status == 429 and got.retry_after else f"status {got.status}"
