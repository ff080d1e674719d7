"""How much somebody may ask for: the generic cell rate algorithm, in this process or in Redis.

One number per name: the time at which all that was taken will have been paid back. Where that is further away
than the limit's period, the answer is how long to wait.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

_MOST_NAMES = 100_000


@dataclass(frozen=True)
class Limit:
    """``count`` units per ``seconds``, all of which may come at once; 0 is no limit."""

    count: int
    seconds: float


class Limiter(Protocol):
    """Counts what is taken."""

    async def take(self, name: str, limit: Limit, cost: int = 1, force: bool = False) -> float:
        """Take ``cost`` units: 0.0 if they were there, or the seconds until they will be (nothing taken).

        ``force`` takes them in any case: what has been used has been used.
        """
        ...

    async def answers(self) -> bool:
        """Whether the store behind it can be asked."""
        ...


class LocalLimiter:
    """Limits of one process. The clock is a steady one, so that a jump of the date lets nobody in or out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paid_back: OrderedDict[str, float] = OrderedDict()

    async def take(self, name: str, limit: Limit, cost: int = 1, force: bool = False) -> float:
        """See :class:`Limiter`."""
        if not limit.count:
            return 0.0
        now = self._clock()
        then = max(self._paid_back.get(name, now), now) + cost * limit.seconds / limit.count
        wait = then - now - limit.seconds
        if wait > 1e-9 and not force:
            return wait
        self._paid_back[name] = then
        self._paid_back.move_to_end(name)
        if len(self._paid_back) > _MOST_NAMES:
            self._paid_back.popitem(last=False)
        return 0.0

    async def answers(self) -> bool:
        """Always: it is this process."""
        return True


_SCRIPT = """
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local then_ = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + tonumber(ARGV[1])
local wait = then_ - now - tonumber(ARGV[2])
if wait > 0 and ARGV[3] == '0' then return tostring(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', then_), 'PX', math.ceil(then_ - now) + 1)
return '0'
"""
_PATIENCE = 0.1  # seconds


class RedisLimiter:
    """Limits shared by several gateways, by Redis' own clock. While Redis is away, each counts for itself."""

    def __init__(self, url: str, on_failure: Callable[[], None] = lambda: None) -> None:
        from redis.asyncio import Redis

        self._redis: Any = Redis.from_url(
            url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, decode_responses=True
        )
        self._script = self._redis.register_script(_SCRIPT)
        self._local = LocalLimiter()
        self._on_failure = on_failure
        self._shut_until = 0.0

    async def take(self, name: str, limit: Limit, cost: int = 1, force: bool = False) -> float:
        """See :class:`Limiter`."""
        from redis.exceptions import RedisError

        if not limit.count:
            return 0.0
        if time.monotonic() >= self._shut_until:
            each = 1000 * limit.seconds / limit.count
            arguments = [cost * each, 1000 * limit.seconds, int(force)]
            try:
                return float(await self._script(keys=[f"smallhours:{name}"], args=arguments)) / 1000
            except (RedisError, OSError):
                self._shut_until = time.monotonic() + 1.0
                self._on_failure()
        return await self._local.take(name, limit, cost, force)

    async def answers(self) -> bool:
        """Asks Redis."""
        from redis.exceptions import RedisError

        try:
            return bool(await self._redis.ping())
        except (RedisError, OSError):
            return False
