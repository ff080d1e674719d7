"""What an HTML form sends, without a library for the one kind that our pages use."""

from __future__ import annotations

from urllib.parse import parse_qs

_MOST_FIELDS = 1000


def fields(body: bytes) -> dict[str, str]:
    """The fields of an ``application/x-www-form-urlencoded`` body. Raises ValueError if it is not one."""
    form = parse_qs(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    return {name: values[-1] for name, values in form.items()}
