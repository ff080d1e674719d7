"""Who asks, and whether they may: keys, scopes, limits and quotas.

Doors return their no instead of raising it, since a crisis is answered whatever they say.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass

from starlette.requests import Request

from smallhours.domain.settings import GatewaySettings
from smallhours.serve.gateway import refusals
from smallhours.serve.gateway.api_keys import PREFIX, ApiKeys, Scope
from smallhours.serve.gateway.limits import Limit, Limiter
from smallhours.serve.gateway.refusals import RefusalError

_MINUTE, _DAY = 60.0, 86_400.0
_LOGINS = 10  # attempts a minute and address
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True)
class Caller:
    """Somebody who asks: the id of their key, or None; ``name`` is what their limits are counted under."""

    key: str | None
    name: str


class Doors:
    """The settings of entry, applied."""

    def __init__(self, settings: GatewaySettings, keys: ApiKeys, limiter: Limiter) -> None:
        self._settings = settings
        self._keys = keys
        self._limiter = limiter

    def who(self, request: Request, scope: Scope) -> Caller | RefusalError:
        """The caller, or why not. A bearer that is no key of our form is taken for none at all:
        OpenAI's clients always send one.
        """
        kind, _, presented = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and presented.startswith(PREFIX):
            key = self._keys.find(presented.strip())
            if key is None:
                return refusals.unauthenticated()
            if scope not in key.scopes:
                return refusals.forbidden(scope)
            return Caller(key.id, f"key:{key.id}")
        if not self._settings.anonymous:
            return refusals.unauthenticated()
        return Caller(None, f"address:{_network(request)}")

    async def admit(self, caller: Caller, characters: int) -> RefusalError | None:
        """Take one message of ``characters`` from the caller's limits; the no, if it is one."""
        per_minute = self._settings.per_key_minute if caller.key else self._settings.per_address_minute
        wait = await self._limiter.take(caller.name, Limit(per_minute, _MINUTE))
        if wait:
            return refusals.too_many(wait)
        if caller.key:
            wait = await self._limiter.take(*self._day(caller), cost=_tokens(characters))
            if wait:
                return refusals.over_quota(wait)
        return None

    async def knock(self, request: Request) -> RefusalError | None:
        """Take one attempt to log in from its address's limit; the no, if it is one."""
        wait = await self._limiter.take(f"login:{_network(request)}", Limit(_LOGINS, _MINUTE))
        return refusals.too_many(wait) if wait else None

    async def limits_answer(self) -> bool:
        """Whether the store of limits answers; while it does not, each gateway counts for itself."""
        return await self._limiter.answers()

    async def charge(self, caller: Caller, characters: int) -> None:
        """Count what was written for the caller against their day."""
        if caller.key:
            await self._limiter.take(*self._day(caller), cost=_tokens(characters), force=True)

    def _day(self, caller: Caller) -> tuple[str, Limit]:
        return f"day:{caller.name}", Limit(self._settings.tokens_day, _DAY)


def _tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)


def _network(request: Request) -> str:
    """A hash of the address, of the first half of an IPv6 one: one household has all of the other half."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
        plain = str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host
    except ValueError:
        plain = host
    return hashlib.sha256(plain.encode()).hexdigest()[:24]
