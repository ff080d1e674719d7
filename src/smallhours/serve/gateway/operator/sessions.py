"""Who is logged in to the operator's page: a signed cookie, good for as long as its key is.

The cookie names the key and two times, signed with a secret that lives with the processes, in no file. It is
checked against the file of keys each time, so that a revoked key is out at once.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass

from smallhours.serve.gateway.api_keys import PREFIX, ApiKey, ApiKeys, Scope

OPERATOR: Scope = "operator"
REVIEWER: Scope = "reviewer"
# Seconds: each page that is opened begins the first anew; the second, nothing does.
IDLE, LONGEST = 30 * 60, 8 * 3600
_NAME = 150  # characters of a key's name that the log keeps
_AHEAD = 60  # seconds that another worker's clock may be ahead


@dataclass(frozen=True)
class Session:
    """Somebody who showed a key for these pages, and when it began and ends (seconds, UTC)."""

    holder: ApiKey
    began: int
    ends: int

    @property
    def key(self) -> str:
        """The key's id."""
        return self.holder.id

    @property
    def operates(self) -> bool:
        """Whether more than the review is theirs to see."""
        return OPERATOR in self.holder.scopes

    @property
    def operator(self) -> str:
        """As the log of accesses has it."""
        return f"{self.holder.name[:_NAME]} (key {self.key})"


class Sessions:
    """``secret`` signs: whoever has it can log in as anybody, so it is never written down.

    ``reviews``: there is something to review, so a reviewer's key opens something, too.
    """

    def __init__(
        self,
        keys: ApiKeys,
        secret: bytes,
        clock: Callable[[], float] = time.time,
        *,
        reviews: bool = False,
    ) -> None:
        self._keys = keys
        self._secret = secret
        self._clock = clock
        self._scopes = {OPERATOR, REVIEWER} if reviews else {OPERATOR}

    def wanted(self) -> bool:
        """Whether there is anybody who could log in; if not, there is no page."""
        return any(self._scopes & set(key.scopes) for key in self._keys.usable().values())

    def begin(self, presented: str) -> Session | None:
        """A session for who holds the key, if it is one for these pages."""
        key = self._keys.find(presented.strip()) if presented.strip().startswith(PREFIX) else None
        return self._session(key, int(self._clock())) if key else None

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie, renewed; None if it is over, forged, or its key is refused by now."""
        stated, _, signature = cookie.rpartition(".")
        if not stated.isascii() or not hmac.compare_digest(signature.encode(), self._sign(stated).encode()):
            return None
        name, began, ends = stated.split(".")
        now, key = self._clock(), self._keys.usable().get(name)
        if key is None or now >= int(ends) or now < int(began) - _AHEAD:
            return None
        return self._session(key, int(began))

    def cookie(self, session: Session) -> str:
        """What the browser keeps."""
        stated = f"{session.key}.{session.began}.{session.ends}"
        return f"{stated}.{self._sign(stated)}"

    def form(self, session: Session) -> str:
        """What each form of this session carries; another site cannot know it."""
        return self._sign(f"form/{session.key}/{session.began}")

    def is_form(self, session: Session, presented: str) -> bool:
        """Whether a form was made by this page for this session."""
        return hmac.compare_digest(self.form(session).encode(), presented.encode())

    def _session(self, key: ApiKey, began: int) -> Session | None:
        ends = min(int(self._clock()) + IDLE, began + LONGEST)
        return Session(key, began, ends) if self._scopes & set(key.scopes) else None

    def _sign(self, stated: str) -> str:
        return hmac.new(self._secret, stated.encode(), "sha256").hexdigest()
