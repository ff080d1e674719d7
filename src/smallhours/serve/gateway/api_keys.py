"""API keys: a file of hashes, so that a gateway needs no database to know who may come in.

A key is ``sh_<id>_<secret>``; the secret has 192 random bits, so a plain SHA-256 of it cannot be guessed
back. ``smallhours keys`` writes the file; gateways read it again when it changed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError

from smallhours.domain.errors import InputError, MissingError, ResourceError
from smallhours.domain.messages import Frozen

PREFIX = "sh_"
Scope = Literal["chat", "conversations", "metrics", "operator", "reviewer"]
SCOPES: tuple[Scope, ...] = ("chat", "conversations", "metrics", "operator", "reviewer")


class ApiKey(Frozen):
    """What is known of a key: everything but the key. ``credential`` is what its holder signs pairs with."""

    id: str
    name: str
    hash: str
    scopes: tuple[Scope, ...]
    credential: str = ""
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = Field(None, description="since when it is refused")

    def usable(self, now: datetime) -> bool:
        """Neither revoked nor over."""
        return self.revoked is None and (self.expires is None or now < self.expires)


_FILE = TypeAdapter(list[ApiKey])


def _now() -> datetime:
    return datetime.now(UTC)


class ApiKeys:
    """The keys in a file; no file is no keys."""

    def __init__(self, path: Path, clock: Callable[[], datetime] = _now) -> None:
        self._path = path
        self._clock = clock
        self._stamp: tuple[int, int] | None = None
        self._keys: dict[str, ApiKey] = {}
        self._known = False

    def all(self) -> list[ApiKey]:
        """Every key. Raises InputError if the file cannot be understood."""
        self._refresh()
        return list(self._keys.values())

    def find(self, presented: str) -> ApiKey | None:
        """The key that was presented, if it is one of ours and usable."""
        _, _, rest = presented.partition(PREFIX)
        name, _, secret = rest.partition("_")
        key = self.usable().get(name)
        known = key.hash if key else ""
        same = hmac.compare_digest(known.encode(), _hash(secret).encode())
        return key if key and same else None

    def usable(self) -> dict[str, ApiKey]:
        """The keys that open something right now, by id. A damaged file lets the known in and nobody new."""
        try:
            self._refresh()
        except InputError:
            if not self._known:
                raise
        now = self._clock()
        return {name: key for name, key in self._keys.items() if key.usable(now)}

    def add(
        self, name: str, scopes: tuple[Scope, ...], days: int | None, credential: str = ""
    ) -> tuple[str, ApiKey]:
        """A new key, and what is written about it; the key itself is told this once."""
        secret, now = secrets.token_urlsafe(24), self._clock()
        key = ApiKey(
            id=secrets.token_hex(4),
            name=name,
            hash=_hash(secret),
            scopes=scopes,
            credential=credential,
            created=now,
            expires=now + timedelta(days=days) if days else None,
        )
        self._write([*self.all(), key])
        return f"{PREFIX}{key.id}_{secret}", key

    def revoke(self, name: str) -> ApiKey:
        """Refuse a key from now on, by its id. Raises MissingError for an unknown one."""
        keys = {key.id: key for key in self.all()}
        if name not in keys:
            raise MissingError(f"{self._path}: no key '{name}'; 'smallhours keys list' shows them")
        keys[name] = keys[name].model_copy(update={"revoked": keys[name].revoked or self._clock()})
        self._write(list(keys.values()))
        return keys[name]

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
            if stamp != self._stamp:
                self._keys = {key.id: key for key in _FILE.validate_json(self._path.read_bytes())}
                self._stamp, self._known = stamp, True
        except FileNotFoundError:
            self._keys, self._stamp, self._known = {}, None, True
        except (OSError, ValidationError) as error:
            reason = (
                error.strerror if isinstance(error, OSError) else f"{error.error_count()} fields are wrong"
            )
            raise InputError(
                f"{self._path}: not a file of keys ({reason}); restore it or delete it"
            ) from None

    def _write(self, keys: list[ApiKey]) -> None:
        fresh = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                json.dump(_FILE.dump_python(keys, mode="json"), out, indent=1)
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self._path)
        except OSError as error:
            raise ResourceError(f"{self._path}: cannot be written ({error.strerror})") from None
        self._refresh()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
