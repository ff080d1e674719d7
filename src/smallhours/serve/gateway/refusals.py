"""The ways of saying no, each with its status and type. A crisis never meets one."""

from __future__ import annotations

import math


class RefusalError(Exception):
    """An answer other than 200: ``status``, OpenAI's ``kind`` of error, and when to try again."""

    def __init__(self, status: int, kind: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.retry_after = None if retry_after is None else max(1, math.ceil(retry_after))


def unauthenticated() -> RefusalError:
    """No key, or none of ours."""
    message = "the API key is missing, unknown, expired or revoked; send it as 'Authorization: Bearer sh_…'"
    return RefusalError(401, "authentication_error", message)


def forbidden(scope: str) -> RefusalError:
    """A key of ours, for something else."""
    return RefusalError(403, "permission_error", f"this key lacks the scope '{scope}'")


def too_many(wait: float) -> RefusalError:
    """Over the limit of a key or an address."""
    message = "too many messages at once; wait a moment, then try again"
    return RefusalError(429, "rate_limit_exceeded", message, wait)


def over_quota(wait: float) -> RefusalError:
    """Over the day's tokens."""
    return RefusalError(429, "quota_exceeded", "this key's tokens for the day are used up", wait)


def overloaded(wait: float) -> RefusalError:
    """The queue is full, or moves too slowly."""
    message = "many people are writing at this moment; try again shortly"
    return RefusalError(429, "overloaded", message, wait)


def invalid(message: str) -> RefusalError:
    """A request that cannot be understood."""
    return RefusalError(422, "invalid_request_error", message)


def not_found() -> RefusalError:
    """An unknown conversation and a wrong token look the same."""
    return RefusalError(404, "not_found", "no such conversation, or this is not its token")


def memory_off() -> RefusalError:
    """The operator keeps nothing."""
    return RefusalError(404, "memory_off", "this server remembers no conversations")


def memory_unavailable() -> RefusalError:
    """The database is away."""
    message = "the memory cannot be reached right now; nothing was changed"
    return RefusalError(503, "memory_unavailable", message, 5)
